#!/usr/bin/env bash
# Makes sure that a C compiler and the Rust toolchain of rust-toolchain.toml are here. Installs only
# what is missing, says what, and does nothing on a machine that has both.
#
#   scripts/lib/toolchain.sh        check and install
#
# Prints PATH as a shell assignment, since a fresh rustup is in ~/.cargo/bin.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# apt_install PACKAGE...: installs by apt when that is possible here, else says what to install.
apt_install() {
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "toolchain.sh: please install: $* (this script may do it as root on Debian or Ubuntu)" >&2
    exit 69
  fi
  echo "installing $*" >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || command -v wget >/dev/null || missing+=(curl)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"

command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
if ! command -v rustup >/dev/null; then
  # A cargo of the distribution serves when it is new enough; it cannot fetch another version.
  wanted=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$root/rust-toolchain.toml")
  if ! command -v cargo >/dev/null || [ "$(printf '%s\n' "$wanted" "$(rustc --version | cut -d' ' -f2)" | sort -V | head -1)" != "$wanted" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update >&2 && [ -n "$(apt-cache madison rustup 2>/dev/null)" ]; then
      apt_install rustup
    else
      echo "installing rustup into ${CARGO_HOME:-$HOME/.cargo}, from https://sh.rustup.rs" >&2
      fetch() { if command -v curl >/dev/null; then curl --proto '=https' --tlsv1.2 -fsSL "$1"; else wget --https-only -qO- "$1"; fi; }
      script=$(mktemp)
      fetch https://sh.rustup.rs >"$script" || {
        rm -f "$script"
        echo "toolchain.sh: cannot reach https://sh.rustup.rs: install Rust $wanted yourself (https://rustup.rs) and start again" >&2
        exit 69
      }
      sh "$script" -y --no-modify-path --profile minimal --default-toolchain none >&2
      rm -f "$script"
    fi
  fi
fi

# rustup fetches the toolchain of rust-toolchain.toml when it is first asked for; do it now, visibly.
(cd "$root" && if command -v rustup >/dev/null; then rustup -q toolchain install >&2 || true; fi && cargo --version >/dev/null)
printf 'PATH=%q\n' "$PATH"
