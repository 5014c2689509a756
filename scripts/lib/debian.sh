# Sourced by the scripts beside it that unpack programs out of Debian unstable's packages into the per-user cache, where they
# are started through their own loader: the host system, its apt state and its libc are left alone, and no root is needed.
#
#   cache                                     the per-user cache
#   debian_lock NAME                          keeps other runs about $cache/NAME out until this script ends
#   debian_unpack NAME HINT closed PACKAGE... puts the packages and all that they depend on into $cache/NAME, once
#   debian_unpack NAME HINT alone PACKAGE...  the packages and nothing else; HINT says what to do where there is no apt
#   debian_multiarch PREFIX, debian_loader PREFIX   what a wrapper needs: lib folder's name, loader's path below PREFIX
cache=${VITRAIL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vitrail}
mirror=${VITRAIL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
self=$(basename "$0")

# Prints a keyring that signs Debian's archive. Where the host has none (Ubuntu), the package that
# holds it comes from the host's own, already trusted, sources: trust is never taken from the mirror.
debian_keyring() {
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
        echo "$self: run 'sudo apt-get update' once, or install debian-archive-keyring" >&2
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
  echo "$self: the package debian-archive-keyring holds no keyring" >&2
  return 1
}

debian_lock() {
  mkdir -p "$cache"
  exec 9>"$cache/$1.lock" # opening it again lets go of a lock that is held already
  flock 9
}

debian_unpack() {
  local prefix=$cache/$1 name=$1 hint=$2 dependencies=$3
  shift 3
  [ ! -e "$prefix/.complete" ] || return 0
  debian_lock "$name"
  [ ! -e "$prefix/.complete" ] || return 0
  local tool
  for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null || {
      echo "$self: no $tool here: $hint" >&2
      exit 69
    }
  done
  local signed work apt d deb
  signed=$(debian_keyring)
  echo "unpacking $* into $prefix" >&2
  work=$(mktemp -d "$cache/apt.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work"/{lists/partial,archives/partial,etc}
  : >"$work/status"
  echo "deb [signed-by=$signed] $mirror unstable main" >"$work/sources.list"
  apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o APT::Install-Recommends=false -o "APT::Sandbox::User=$(id -un)"
    -o Debug::NoLocking=true -o APT::Get::AllowUnauthenticated=false -o Acquire::Retries=3)
  "${apt[@]}" update >&2
  case "$dependencies" in
    closed) "${apt[@]}" install -y --download-only "$@" >&2 ;;
    alone) (cd "$work/archives" && "${apt[@]}" download "$@" >&2) ;;
  esac
  rm -rf "$prefix.new"
  mkdir -p "$prefix.new"
  # usr-merge: packages that still ship /lib or /bin must land below /usr.
  for d in bin sbin lib lib64; do mkdir -p "$prefix.new/usr/$d"; ln -s "usr/$d" "$prefix.new/$d"; done
  for deb in "$work"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$prefix.new"; done
  touch "$prefix.new/.complete"
  rm -rf "$prefix"
  mv "$prefix.new" "$prefix"
}

debian_multiarch() { (cd "$1/usr/lib" && ls -d ./*-linux-gnu | head -1 | cut -c3-); }
debian_loader() { (cd "$1" && find usr/lib64 usr/lib -maxdepth 2 -name 'ld-linux*.so.*' | head -1); }
