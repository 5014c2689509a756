#!/usr/bin/env bash
# Finds or unpacks a MySQL server and client, and prints where they are as shell assignments.
#
#   scripts/lib/mysql.sh            server and clients
#   scripts/lib/mysql.sh testsuite  the same, and MySQL's own test suite (mysqltest)
#   scripts/lib/mysql.sh router     MySQL Router (for bench/)
#   scripts/lib/mysql.sh mariadb    MariaDB's command line client (for e2e/)
#
# A mysqld on the PATH (8.0, 8.4 or 9.x) is used first. Otherwise Debian unstable's packages are
# unpacked into the per-user cache (see debian.sh). Running it again is cheap: an unpacked version is
# reused.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

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

prefix=$cache/mysql-$want
debian_unpack "mysql-$want" "put mysqld, mysql, mysqldump and mysqladmin (8.0, 8.4 or 9.x) on the PATH" closed "${packages[@]}"

# Wrappers start a binary through the unpacked loader; they carry a version of their own, so that a
# change of them needs no new download.
wraps=$prefix/wrap/.version-4
if [ ! -e "$wraps" ]; then
  debian_lock "mysql-$want"
  multiarch=$(debian_multiarch "$prefix")
  loader=$(debian_loader "$prefix")
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
