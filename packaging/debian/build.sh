#!/usr/bin/env bash
# Builds posthorn_VERSION_ARCH.deb into a folder (build/ when none is said) and prints its path. Runs
# where `npm ci` has run, with the Node that goes along first on the path (npm run deb).
#   VERSION=1.2.3 packaging/debian/build.sh /tmp
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "${1:-$top/build}"
out=$(cd "${1:-$top/build}" && pwd)
node=$(node -p process.execPath)
version=${VERSION:-$(node -p 'require(process.argv[1]).version' "$top/package.json")}
arch=$(dpkg --print-architecture)
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 0755 "$root"

lib=$root/usr/lib/posthorn
"$node" "$top/packaging/stage.ts" "$lib" --modules
install -m 0755 "$node" "$lib/node"
# Below node_modules only what Node loads: no pages and scripts for its makers, no dot files.
find "$lib/node_modules" \( -name '.*' -o -name '*.html' -o -name '*.sh' \) -prune -exec rm -rf {} +
find "$lib" -type f -exec chmod 0644 {} +
chmod 0755 "$lib/node" "$lib"/contrib/*.sh
# Called by the commands below, with the Node that lies beside them.
sed -i '1{/^#!/d}' "$lib"/bin/*.js

install -D -m 0755 "$here/command" "$root/usr/bin/posthorn"
install -D -m 0755 "$here/sendmail" "$root/usr/sbin/sendmail"
install -m 0755 "$here/sendmail" "$root/usr/bin/mailq"
install -m 0755 "$here/sendmail" "$root/usr/bin/newaliases"
ln -s ../sbin/sendmail "$root/usr/lib/sendmail"
install -D -m 0644 "$here/posthorn.yaml" "$root/etc/posthorn/posthorn.yaml"
install -d "$root/usr/lib/systemd/system" "$root/usr/share/doc/posthorn"
install -m 0644 "$top"/packaging/systemd/*.service "$top"/packaging/systemd/*.socket "$root/usr/lib/systemd/system"
install -D -m 0644 "$top/packaging/systemd/posthorn.conf" "$root/usr/lib/sysusers.d/posthorn.conf"
install -D -m 0644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/posthorn"
{
  echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
  echo 'Comment: the licences of the libraries lie beside them, in /usr/lib/posthorn/node_modules.'
  printf '\nFiles: *\nCopyright: 2026 the authors of Posthorn\nLicense: MIT\n'
  tail -n +5 "$top/LICENSE" | sed 's/^$/./; s/^/ /'
} >"$root/usr/share/doc/posthorn/copyright"
maintainer='Posthorn maintainers <posthorn@example.org>'
printf 'posthorn (%s) unstable; urgency=medium\n\n  * Version %s; see CHANGELOG.md in /usr/lib/posthorn.\n\n -- %s  %s\n' \
  "$version" "$version" "$maintainer" "$(date -u -R -d "@$epoch")" |
  gzip -9n >"$root/usr/share/doc/posthorn/changelog.gz"

install -d "$root/DEBIAN"
install -m 0755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN"
echo /etc/posthorn/posthorn.yaml >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<END
Package: posthorn
Version: $version
Architecture: $arch
Maintainer: $maintainer
Section: mail
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 10), init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers
Provides: mail-transport-agent
Conflicts: mail-transport-agent
Replaces: mail-transport-agent
Description: send-only mail server
 Takes mail over SMTP, HTTP and sendmail, signs it with DKIM, keeps it in a
 queue that survives crashes, and delivers it over TLS. It receives no mail
 for mailboxes.
END
deb=$out/posthorn_${version}_$arch.deb
find "$root" -exec touch -h -d "@$epoch" {} +
SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" --build "$root" "$deb" >&2
echo "$deb"
