#!/usr/bin/env bash
# Finds or unpacks a MySQL server and client, and prints where they are as shell assignments.
#
#   scripts/lib/mysql.sh            server and clients
#   scripts/lib/mysql.sh testsuite  the same, and MySQL's own test suite (mysqltest)
#   scripts/lib/mysql.sh router     MySQL Router (for bench/)
#   scripts/lib/mysql.sh mariadb    MariaDB's command line client (for e2e/)
#
# A mysqld on the PATH (8.0, 8.4 or 9.x) is used first. Otherwise Debian unstable's packages are
# unpacked into a per-user cache and started through their own loader, so the host system, its apt
# state and its libc are left alone; no root is needed. Running it again is cheap: an unpacked
# version is reused.
set -euo pipefail

cache=${VITRAIL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vitrail}
mirror=${VITRAIL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
want=${1:-server}

packages=(mysql-server-core mysql-client-core)
case "$want" in
  server) ;;
  testsuite) packages=(mysql-testsuite mysql-server-core mysql-client-core) ;;
  router) packages=(mysql-router) ;;
  mariadb) packages=(mariadb-client-core) ;;
  *) echo "mysql.sh: unknown part '$want' (server, testsuite, router, mariadb)" >&2; exit 64 ;;
esac

# A MySQL program of a version that Vitrail knows, not MariaDB's of the same name.
is_mysql() {
  local version
  command -v "$1" >/dev/null || return 1
  version=$("$1" --no-defaults --version 2>/dev/null) || return 1
  [[ $version =~ Ver\ (8\.[04]|9)\. ]] && [[ ${version,,} != *mariadb* ]]
}

if [ "$want" = server ]; then
  PATH=$PATH:/usr/sbin # where distributions put mysqld, and not on a plain user's PATH
  if is_mysql mysqld && is_mysql mysql && is_mysql mysqldump && is_mysql mysqladmin; then
    printf '%s=%q\n' MYSQLD "$(command -v mysqld)" MYSQL "$(command -v mysql)" \
      MYSQLDUMP "$(command -v mysqldump)" MYSQLADMIN "$(command -v mysqladmin)"
    exit 0
  fi
fi

# Prints a keyring that signs Debian's archive. Where the host has none (Ubuntu), the package that
# holds it comes from the host's own, already trusted, sources: trust is never taken from the mirror.
keyring() {
  local found
  for found in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} "$cache"/keyring/usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    [ -r "$found" ] && { echo "$found"; return; }
  done
  local fetch
  fetch=$(mktemp -d "$cache/keyring.XXXXXX")
  (
    cd "$fetch"
    apt-get -q download debian-archive-keyring >&2 || {
      if [ "$(id -u)" = 0 ]; then apt-get -q update >&2; else
        echo "mysql.sh: run 'sudo apt-get update' once, or install debian-archive-keyring" >&2
        exit 1
      fi
      apt-get -q download debian-archive-keyring >&2
    }
    dpkg-deb -x ./*.deb tree
  ) || { rm -rf "$fetch"; return 1; }
  rm -rf "$cache/keyring"
  mv "$fetch/tree" "$cache/keyring"
  rm -rf "$fetch"
  for found in "$cache"/keyring/usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    [ -r "$found" ] && { echo "$found"; return; }
  done
  echo "mysql.sh: the package debian-archive-keyring holds no keyring" >&2
  return 1
}

prefix=$cache/mysql-$want
lock() { # keeps other runs of this script out until this one ends
  mkdir -p "$cache"
  exec 9>"$cache/mysql-$want.lock" # opening it again lets go of a lock that is held already
  flock 9
}
[ -e "$prefix/.complete" ] || lock
if [ ! -e "$prefix/.complete" ]; then
  for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null || {
      echo "mysql.sh: no $tool here: put mysqld, mysql, mysqldump and mysqladmin (8.0, 8.4 or 9.x) on the PATH" >&2
      exit 69
    }
  done
  signed=$(keyring)
  echo "unpacking ${packages[*]} into $prefix" >&2
  work=$(mktemp -d "$cache/apt.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists/partial,archives/partial,etc}
  : >"$work/status"
  echo "deb [signed-by=$signed] $mirror unstable main" >"$work/sources.list"
  apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Cache::archives=$work/archives" -o APT::Install-Recommends=false -o "APT::Sandbox::User=$(id -un)"
    -o Debug::NoLocking=true -o APT::Get::AllowUnauthenticated=false -o Acquire::Retries=3)
  "${apt[@]}" update >&2
  "${apt[@]}" install -y --download-only "${packages[@]}" >&2
  rm -rf "$prefix.new"
  mkdir -p "$prefix.new"
  # usr-merge: packages that still ship /lib or /bin must land below /usr.
  for d in bin sbin lib lib64; do mkdir -p "$prefix.new/usr/$d"; ln -s "usr/$d" "$prefix.new/$d"; done
  for deb in "$work"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$prefix.new"; done
  touch "$prefix.new/.complete"
  rm -rf "$prefix"
  mv "$prefix.new" "$prefix"
fi

# Wrappers start a binary through the unpacked loader; they carry a version of their own, so that a
# change of them needs no new download.
wraps=$prefix/wrap/.version-4
if [ ! -e "$wraps" ]; then
  lock
  multiarch=$(cd "$prefix/usr/lib" && ls -d ./*-linux-gnu | head -1 | cut -c3-)
  loader=$(cd "$prefix" && find usr/lib64 usr/lib -maxdepth 2 -name 'ld-linux*.so.*' | head -1)
  mkdir -p "$prefix/wrap"
  for binary in "$prefix"/usr/{sbin,bin,lib/mysql-test/bin}/{mysql,mariadb}*; do
    [ -f "$binary" ] && [ "$(head -c 4 "$binary" | tail -c 3)" = ELF ] || continue
    name=$(basename "$binary")
    below=${binary#"$prefix"/}
    # The router looks for its parts beside the path that it was called by.
    case "$name" in mysqlrouter*) called="\$p/$below" ;; *) called=$name ;; esac
    cat >"$prefix/wrap/$name.new" <<END
#!/bin/sh
p=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
lib=\$p/usr/lib
export MARIADB_PLUGIN_DIR="\${MARIADB_PLUGIN_DIR:-\$lib/$multiarch/libmariadb3/plugin}"
exec "\$p/$loader" --argv0 "$called" --library-path "\$lib/$multiarch:\$lib/$multiarch/mysql/private:\$lib/mysql/private:\$lib/mysql-router:\$lib/$multiarch/mysqlrouter:\$lib/mysqlrouter/plugin" "\$p/$below" "\$@"
END
    chmod +x "$prefix/wrap/$name.new"
    mv "$prefix/wrap/$name.new" "$prefix/wrap/$name"
  done
  touch "$wraps"
fi

say() { # say NAME FILE: prints the assignment if the file is there
  [ ! -e "$2" ] || printf '%s=%q\n' "$1" "$2"
}
say MYSQLD "$prefix/wrap/mysqld"
[ ! -e "$prefix/wrap/mysqld" ] || say MYSQLD_BASEDIR "$prefix/usr"
[ "$want" = mariadb ] || say MYSQL "$prefix/wrap/mysql"
say MYSQLDUMP "$prefix/wrap/mysqldump"
say MYSQLADMIN "$prefix/wrap/mysqladmin"
say MYSQLTEST "$prefix/wrap/mysqltest"
[ ! -e "$prefix/wrap/mysqltest" ] || say MYSQL_TEST_SUITE "$prefix/usr/lib/mysql-test"
say MYSQLROUTER "$prefix/wrap/mysqlrouter"
say MARIADB "$prefix/wrap/mariadb"
