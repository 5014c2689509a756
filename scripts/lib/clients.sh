#!/usr/bin/env bash
# Gets the MySQL client libraries that the tests use, each by its language's own package manager, into
# the per-user cache, and prints where they are as shell assignments. Running it again is cheap.
#
#   scripts/lib/clients.sh [python] [go] [java] [node] [mariadb]     (without a name: all)
#
# A language runtime that is missing is installed by apt as root; without root the client is left out
# with a message on stderr and a non-zero status, after the others are done.
set -euo pipefail
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$(cd "$lib/../../e2e/clients" && pwd)
cache=${VITRAIL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vitrail}/clients
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9

# need COMMAND PACKAGE...: COMMAND is here, or is installed as root.
need() {
  local command=$1
  shift
  command -v "$command" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "clients.sh: no $command here; install $*" >&2
    return 1
  fi
  echo "installing $*" >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

# fresh DIR FILE...: true when DIR was made from these very FILEs; else it has to be made again.
fresh() {
  local dir=$1
  shift
  [ -e "$dir/.made-from" ] && [ "$(cat "$@" | sha256sum)" = "$(cat "$dir/.made-from")" ]
}
made() {
  local dir=$1
  shift
  cat "$@" | sha256sum >"$dir/.made-from"
}

python() { # PyMySQL and mysql-connector-python in a venv
  need python3 python3 python3-venv || return
  local dir=$cache/python from=$programs/python/requirements.txt
  if ! fresh "$dir" "$from"; then
    rm -rf "$dir"
    python3 -m venv "$dir" >&2 || { rm -rf "$dir"; need no-venv python3-venv && python3 -m venv "$dir" >&2; } || return
    "$dir/bin/pip" install -q --require-virtualenv -r "$from" >&2 || return
    made "$dir" "$from"
  fi
  printf 'CLIENT_PYTHON=%q\n' "$dir/bin/python"
}

go_driver() { # go-sql-driver/mysql, compiled into the test program
  need go golang-go || return
  local dir=$cache/go from=("$programs/go/go.mod" "$programs/go/go.sum" "$programs/go/main.go")
  if ! fresh "$dir" "${from[@]}"; then
    mkdir -p "$dir"
    (cd "$programs/go" && GOFLAGS=-mod=readonly go build -o "$dir/client" . >&2) || return
    made "$dir" "${from[@]}"
  fi
  printf 'CLIENT_GO=%q\n' "$dir/client"
}

java_driver() { # Connector/J's jar, by maven
  need java default-jdk-headless || return
  local dir=$cache/java from=$programs/java/pom.xml
  if ! fresh "$dir" "$from"; then
    need mvn maven || return
    rm -rf "$dir"
    mkdir -p "$dir"
    mvn -q -B -f "$from" dependency:copy-dependencies -DoutputDirectory="$dir" >&2 || return
    made "$dir" "$from"
  fi
  printf 'CLIENT_JAVA_PATH=%q\n' "$dir/*"
}

node_driver() { # mysql2, by npm from the lock file
  need node nodejs npm || return
  local dir=$cache/node from=("$programs/node/package.json" "$programs/node/package-lock.json")
  if ! fresh "$dir" "${from[@]}"; then
    need npm npm || return
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "${from[@]}" "$dir/"
    (cd "$dir" && npm ci --silent --ignore-scripts >&2) || return
    made "$dir" "${from[@]}"
  fi
  printf 'CLIENT_NODE_MODULES=%q\n' "$dir/node_modules"
}

mariadb() { # MariaDB's own command line client
  "$lib/mysql.sh" mariadb
}

failed=()
[ $# -gt 0 ] || set -- python go java node mariadb
for client in "$@"; do
  case "$client" in
    python | mariadb) "$client" || failed+=("$client") ;;
    go | java | node) "${client}_driver" || failed+=("$client") ;;
    *) echo "clients.sh: unknown client '$client'" >&2; exit 64 ;;
  esac
done
[ ${#failed[@]} = 0 ] || { echo "clients.sh: not available: ${failed[*]}" >&2; exit 1; }
