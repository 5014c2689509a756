#!/usr/bin/env bash
# Finds or unpacks an etcd server, and prints where it is as a shell assignment.
#
#   scripts/lib/etcd.sh
#
# An etcd on the PATH (3.5.13 or later) is used first. Otherwise Debian unstable's package is unpacked into
# the per-user cache (see debian.sh). Running it again is cheap.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
oldest=3.5.13

if command -v etcd >/dev/null; then
  version=$(etcd --version 2>/dev/null | sed -n 's/^etcd Version: //p')
  if [ -n "$version" ] && [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -1)" = "$oldest" ]; then
    printf 'ETCD=%q\n' "$(command -v etcd)"
    exit 0
  fi
fi

# Its service files would bring systemd with them; the program needs its libc alone.
debian_unpack etcd "put etcd $oldest or later on the PATH" alone etcd-server libc6
prefix=$cache/etcd
if [ ! -e "$prefix/wrap/etcd" ]; then
  debian_lock etcd
  mkdir -p "$prefix/wrap"
  cat >"$prefix/wrap/etcd.new" <<END
#!/bin/sh
p=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$p/$(debian_loader "$prefix")" --argv0 etcd --library-path "\$p/usr/lib/$(debian_multiarch "$prefix")" "\$p/usr/bin/etcd" "\$@"
END
  chmod +x "$prefix/wrap/etcd.new"
  mv "$prefix/wrap/etcd.new" "$prefix/wrap/etcd"
fi
printf 'ETCD=%q\n' "$prefix/wrap/etcd"
