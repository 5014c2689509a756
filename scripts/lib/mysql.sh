#!/usr/bin/env bash
# Finds or unpacks a MySQL server and client, and prints where they are as shell assignments.
#
#   scripts/lib/mysql.sh            server and clients
#   scripts/lib/mysql.sh testsuite  the same, and MySQL's own test suite (mysqltest)
#   scripts/lib/mysql.sh router     the same, and MySQL Router (for bench/)
#
# A mysqld on the PATH (8.0, 8.4 or 9.x) is used first. Otherwise Debian unstable's packages are
# unpacked into a per-user cache and started through their own loader, so the host system, its apt
# state and its libc are left alone. Running it again is cheap: an unpacked version is reused.
set -euo pipefail

cache=${VITRAIL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vitrail}
mirror=${VITRAIL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
want=${1:-server}

packages=(mysql-server-core mysql-client-core)
case "$want" in
  server) ;;
  testsuite) packages=(mysql-testsuite mysql-server-core mysql-client-core) ;;
  router) packages=(mysql-router) ;;
  *) echo "mysql.sh: unknown part '$want' (server, testsuite, router)" >&2; exit 64 ;;
esac

is_mysql() { # a MySQL server, not MariaDB's
  "$1" --no-defaults --version 2>/dev/null | grep -Eq 'Ver (8\.[04]|9\.)' && ! "$1" --no-defaults --version 2>/dev/null | grep -qi mariadb
}

if [ "$want" = server ] && command -v mysqld >/dev/null && is_mysql "$(command -v mysqld)" && command -v mysql >/dev/null; then
  echo "MYSQLD=$(command -v mysqld)"
  echo "MYSQL=$(command -v mysql)"
  exit 0
fi

prefix=$cache/mysql-$want
if [ ! -e "$prefix/.complete" ]; then
  mkdir -p "$cache"
  exec 9>"$cache/mysql-$want.lock"
  flock 9
fi
if [ ! -e "$prefix/.complete" ]; then
  echo "unpacking ${packages[*]} into $prefix" >&2
  work=$(mktemp -d "$cache/apt.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists/partial,archives/partial,etc}
  : >"$work/status"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  signed=
  [ -e $keyring ] && signed="[signed-by=$keyring]"
  echo "deb $signed $mirror unstable main" >"$work/sources.list"
  apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Cache::archives=$work/archives" -o APT::Install-Recommends=false -o APT::Sandbox::User=root
    -o Debug::NoLocking=true -o APT::Get::AllowUnauthenticated=false -o Acquire::Retries=3)
  "${apt[@]}" update >&2
  "${apt[@]}" install -y --download-only "${packages[@]}" >&2
  rm -rf "$prefix.new"
  mkdir -p "$prefix.new"
  # usr-merge: packages that still ship /lib or /bin must land below /usr.
  for d in bin sbin lib lib64; do mkdir -p "$prefix.new/usr/$d"; ln -s "usr/$d" "$prefix.new/$d"; done
  for deb in "$work"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$prefix.new"; done
  multiarch=$(cd "$prefix.new/usr/lib" && ls -d ./*-linux-gnu | head -1 | cut -c3-)
  loader=$(cd "$prefix.new" && find usr/lib64 usr/lib -maxdepth 2 -name 'ld-linux*.so.*' | head -1)
  mkdir -p "$prefix.new/wrap"
  wrap() { # wrap NAME BINARY [ARG...]: a script that starts BINARY through the unpacked loader
    local name=$1 binary=$2; shift 2
    {
      echo '#!/bin/sh'
      echo 'p=$(dirname "$(dirname "$(readlink -f "$0")")")'
      echo "exec \"\$p/$loader\" --argv0 $name --library-path \"\$p/usr/lib/$multiarch:\$p/usr/lib/$multiarch/mysql/private:\$p/usr/lib/mysql/private:\$p/usr/lib/mysql-router:\$p/usr/lib/$multiarch/mysqlrouter\" \"\$p/$binary\" $* \"\$@\""
    } >"$prefix.new/wrap/$name"
    chmod +x "$prefix.new/wrap/$name"
  }
  for name in mysqld; do
    [ -e "$prefix.new/usr/sbin/$name" ] && wrap $name usr/sbin/$name
  done
  for binary in "$prefix.new"/usr/bin/mysql*; do
    [ -e "$binary" ] || continue
    case "$(head -c 4 "$binary" | tr -d '\0')" in $'\x7fELF') wrap "$(basename "$binary")" "usr/bin/$(basename "$binary")" ;; esac
  done
  touch "$prefix.new/.complete"
  rm -rf "$prefix"
  mv "$prefix.new" "$prefix"
fi

[ -e "$prefix/wrap/mysqld" ] && {
  echo "MYSQLD=$prefix/wrap/mysqld"
  echo "MYSQLD_BASEDIR=$prefix/usr"
}
[ -e "$prefix/wrap/mysql" ] && echo "MYSQL=$prefix/wrap/mysql"
[ -e "$prefix/wrap/mysqltest" ] && { echo "MYSQLTEST=$prefix/wrap/mysqltest"; echo "MYSQL_TEST_SUITE=$prefix/usr/lib/mysql-test"; }
[ -e "$prefix/wrap/mysqlrouter" ] && echo "MYSQLROUTER=$prefix/wrap/mysqlrouter"
exit 0
