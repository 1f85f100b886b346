# Sourced by ./test, ./check and the justfile's recipes: the tools that are not part of a Rust installation.
# A tool that is on the machine already is used as it is; a missing one is built from the package registry, once per machine.

NEXTEST_VERSION=0.9.151
CARGO_DENY_VERSION=0.20.2
CARGO_FUZZ_VERSION=0.13.2

# What `cargo install` puts in place must be found in the same run, also where a login shell did not add it to PATH.
export PATH="$PATH:${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}/bin"

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a command up to three times: what comes over a network may fail and then work.
again() {
  local attempt
  for attempt in 1 2; do
    "$@" && return
    printf 'once more: %s\n' "$*" >&2
  done
  "$@"
}

# debian PACKAGE...: installs packages of Debian, waiting for whoever else installs some.
debian() {
  local options=(-qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any)
  { again apt-get "${options[@]}" update &&
    DEBIAN_FRONTEND=noninteractive again apt-get "${options[@]}" install --no-install-recommends "$@"; } >&2
}

need_rust() {
  command -v cargo >/dev/null || die "cargo was not found: install Rust 1.95 or later first"
  # SQLite and the TLS library are C code that cargo compiles; the linker that Rust needs is the same program.
  command -v cc >/dev/null || die "cc was not found: install a C compiler (Debian: apt-get install gcc libc6-dev)"
}

# install_tool CRATE VERSION [CARGO-INSTALL-OPTION...]
# These programs run for seconds: a quick build serves better than a fast program. The settings below halve the wait.
install_tool() {
  local crate=$1 version=$2
  shift 2
  say "installing $crate $version (once per machine, some minutes)"
  (
    # Outside the workspace and its target directory, so that neither its settings nor its lock file play a part.
    cd /
    unset CARGO_TARGET_DIR RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      CARGO_PROFILE_RELEASE_DEBUG=false cargo install --quiet --locked "$@" "$crate@$version"
  ) || die "$crate $version could not be installed"
}

need_nextest() {
  cargo nextest --version >/dev/null 2>&1 || install_tool cargo-nextest "$NEXTEST_VERSION" --no-default-features --features default-no-update
}

need_deny() {
  cargo deny --version >/dev/null 2>&1 || install_tool cargo-deny "$CARGO_DENY_VERSION"
}

# Where cargo builds, as it was told.
target_directory() { printf '%s\n' "${CARGO_TARGET_DIR:-target}"; }

# Sets SCHEMATHESIS to a virtual environment that has it, in the folder of builds; made anew when what it needs has changed.
need_schemathesis() {
  local wanted=.ci/generated-calls/requirements.txt
  SCHEMATHESIS=$(target_directory)/schemathesis-$(sha256sum "$wanted" | cut -c 1-16)
  # Whole only when it says so: an installation may have been interrupted.
  [[ -e $SCHEMATHESIS/whole ]] && return
  need_python
  say "installing schemathesis (once per folder of builds)"
  mkdir -p "$(target_directory)"
  rm -rf "$(target_directory)"/schemathesis-*
  { python3 -m venv "$SCHEMATHESIS" &&
    again "$SCHEMATHESIS/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$wanted"; } >&2 ||
    die "schemathesis could not be installed"
  touch "$SCHEMATHESIS/whole"
}

need_python() {
  python3 -c 'import venv, ensurepip' 2>/dev/null && return
  ((EUID == 0)) && command -v apt-get >/dev/null || die "Python with venv was not found: install it (Debian: apt-get install python3-venv)"
  say "installing Python (once per machine)"
  debian python3-venv ||
    die "Python could not be installed"
}

need_fuzz() {
  cargo fuzz --version >/dev/null 2>&1 || install_tool cargo-fuzz "$CARGO_FUZZ_VERSION"
}

# The directory of the newest PostgreSQL's programs: Debian keeps them out of PATH.
postgres_programs() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  if [[ -x $newest ]]; then
    dirname "$newest"
  elif command -v initdb >/dev/null; then
    dirname "$(command -v initdb)"
  else
    return 1
  fi
}

need_postgres() {
  postgres_programs >/dev/null && return
  ((EUID == 0)) && command -v apt-get >/dev/null || die "PostgreSQL was not found: install it (Debian: apt-get install postgresql)"
  say "installing PostgreSQL (once per machine)"
  debian postgresql ||
    die "PostgreSQL could not be installed"
}

# Chromium with its driver, and what the browser tests look for faults of accessibility with (crates/web/tests/browser).
need_browser() {
  if ! command -v chromedriver >/dev/null; then
    ((EUID == 0)) && command -v apt-get >/dev/null || die "chromedriver was not found: install it (Debian: apt-get install chromium chromium-driver)"
    say "installing Chromium (once per machine)"
    debian chromium chromium-driver ||
      die "Chromium could not be installed"
  fi
  need_packages crates/web/tests/browser "axe-core for the browser tests"
}

# The OpenID provider that tests start (crates/web/tests/oidc/provider).
need_provider() {
  need_packages crates/web/tests/oidc/provider "the OpenID provider of the tests"
}

NODE_LEAST=20

# need_packages FOLDER WHAT: what the lock file in a folder names, from the package registry.
need_packages() {
  local folder=$1 what=$2 major
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    ((EUID == 0)) && command -v apt-get >/dev/null || die "node and npm were not found: install Node.js $NODE_LEAST or later"
    say "installing Node.js (once per machine)"
    debian nodejs npm ||
      die "Node.js could not be installed"
  fi
  major=$(node --print 'process.versions.node.split(".")[0]')
  ((major >= NODE_LEAST)) || die "node is version $major: install Node.js $NODE_LEAST or later"
  # npm leaves a copy of the lock file where it installed: what is there is what the lock file names, unless that is newer.
  [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && return
  say "installing $what"
  (cd "$folder" && again npm ci --no-fund --no-audit --fetch-retries=5 >&2) || die "$what could not be installed"
  touch "$folder/node_modules/.package-lock.json"
}
