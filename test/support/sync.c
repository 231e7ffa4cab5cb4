/* Preloaded into a server under test: makes every sync slower (SYNC_DELAY_US) or drops it
   (SYNC_OFF=1), to show that the promise of 250 rests on the sync and that the rate does not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int through(const char *name, int fd) {
  const char *delay = getenv("SYNC_DELAY_US");
  if (getenv("SYNC_OFF")) return 0;
  if (delay) usleep((useconds_t)atoi(delay));
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return real(fd);
}

int fsync(int fd) { return through("fsync", fd); }
int fdatasync(int fd) { return through("fdatasync", fd); }
