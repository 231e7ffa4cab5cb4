/* Preloaded into a server under test: makes every sync slower (SYNC_DELAY_US), drops it (SYNC_OFF=1),
   or lets every SYNC_FAIL_EVERY-th fail with EIO as long as the file SYNC_FAIL_FILE is there, which
   grows by an octet each time. To show that the promise of 250 rests on the sync, and the rate does
   not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  static atomic_int count;
  const char *path = getenv("SYNC_FAIL_FILE"), *every = getenv("SYNC_FAIL_EVERY");
  int file, written;
  if (!path || !every || access(path, F_OK) != 0) return 0;
  if ((atomic_fetch_add(&count, 1) + 1) % atoi(every) != 0) return 0;
  if ((file = open(path, O_WRONLY | O_APPEND)) < 0) return 0;
  written = write(file, "x", 1) == 1;
  close(file);
  return written;
}

static int through(const char *name, int fd) {
  const char *delay = getenv("SYNC_DELAY_US");
  if (getenv("SYNC_OFF")) return 0;
  if (delay) usleep((useconds_t)atoi(delay));
  if (fails()) {
    errno = EIO;
    return -1;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return real(fd);
}

int fsync(int fd) { return through("fsync", fd); }
int fdatasync(int fd) { return through("fdatasync", fd); }
