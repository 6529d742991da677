# Shared by the scripts: where things are, packages, engines. Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${POSEIDON_STATE:-$root/.poseidon} # what `up` keeps: data, logs, pids, its own engine
program=$root/build/release/poseidon

say() { printf '%s\n' "poseidon: $*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command as root, by sudo when needed.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "this step needs root: $* (install sudo, or run the script as root)"; fi
}

build_packages=(g++ cmake ninja-build ccache mold pkg-config libcaf-dev libboost-dev libboost-system-dev
  nlohmann-json3-dev libspdlog-dev libsqlite3-dev libnats-dev libyaml-cpp-dev libssl-dev prometheus-cpp-dev libvalijson-dev libcli11-dev libgoogle-perftools-dev)
run_packages=(busybox-static curl iproute2 procps util-linux ca-certificates)
test_packages=(libgtest-dev libgmock-dev docker-registry python3 chromium-headless-shell systemd)
engine_packages=(docker.io iptables)

# install PACKAGE...: installs from Debian what is missing; says what.
install() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "installing ${missing[*]}"
  # A policy that refuses to start services: an engine is started by us, where it is needed, not by a package.
  local log; log=$(mktemp)
  if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2; rm -f "$log"
    die "apt-get could not install: ${missing[*]} (see above)"
  fi
  rm -f "$log"
}

# install_nats_server: a nats-server that may carry a replicated log (2.10.23 or newer), and prints its path. Debian 12 has an
# older one: there Debian 13's comes from the machine's own mirror, this one package and nothing else (a pin keeps the rest).
install_nats_server() {
  local code mirror
  if ! nats_server_fits; then
    code=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    if [ "$code" = bookworm ]; then
      mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "bookworm" && $2 == "main" {print $3; exit}')
      [ -n "$mirror" ] || die "no source of Debian 12's packages is configured: install nats-server 2.10.23 or newer by hand"
      as_root tee /etc/apt/preferences.d/poseidon-nats-server >/dev/null <<PIN
Package: *
Pin: release n=trixie
Pin-Priority: 100

Package: nats-server
Pin: release n=trixie
Pin-Priority: 990
PIN
      as_root tee /etc/apt/sources.list.d/poseidon-nats-server.sources >/dev/null <<SOURCE
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    say "installing nats-server"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nats-server >/dev/null 2>&1 || true
    nats_server_fits || die "no nats-server of 2.10.23 or newer could be installed (apt-cache policy nats-server tells why)"
  fi
  nats_server_path
}
nats_server_path() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nats-server; }
nats_server_fits() {
  local path version
  path=$(nats_server_path) || return 1
  version=$("$path" --version 2>/dev/null | sed -n 's/^nats-server: v//p')
  dpkg --compare-versions "${version:-0}" ge 2.10.23
}
apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }

# alive PID: whether the process is there, whoever owns it.
alive() { [ -n "$1" ] && [ -d "/proc/$1" ]; }

# launch COMMAND...: as root, in place of this shell, in a session of its own; call it in the background: $! is its pid.
launch() {
  if [ "$(id -u)" = 0 ]; then exec setsid "$@"; else exec sudo setsid "$@"; fi
}

# jobs: compile jobs that fit cores and free memory (1.5 GiB each).
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "$memory" -lt 1 ] && memory=1
  echo $((cores < memory ? cores : memory))
}

# build PRESET [TARGET...]
build() {
  local preset=$1; shift
  local targets=()
  for t in "$@"; do targets+=(--target "$t"); done
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
  (cd "$root" && cmake --preset "$preset" >"$root/.cmake-$preset.log" 2>&1) || { cat "$root/.cmake-$preset.log" >&2; die "cmake failed"; }
  rm -f "$root/.cmake-$preset.log"
  (cd "$root" && cmake --build --preset "$preset" -j "$(jobs)" "${targets[@]}" >&2)
}

engine_answers() { curl -s --max-time 3 --unix-socket "${1#unix://}" http://engine/_ping 2>/dev/null | grep -q OK; }

# find_engine: prints the address of an engine that answers, or fails.
find_engine() {
  local candidate
  for candidate in "${POSEIDON_ENGINE:-}" "${DOCKER_HOST:-}" unix:///run/docker.sock unix:///var/run/docker.sock; do
    case $candidate in unix://*) if engine_answers "$candidate"; then echo "$candidate"; return 0; fi ;; esac
  done
  return 1
}

# start_private_engine DIR: starts dockerd with everything below DIR and prints its address. Another engine's bridge
# would be deleted by a second dockerd, so beside one it gets a network namespace of its own.
start_private_engine() {
  local dir=$1 apart=()
  install "${engine_packages[@]}"
  as_root mkdir -p "$dir"
  if engine_answers "unix://$dir/docker.sock"; then echo "unix://$dir/docker.sock"; return 0; fi
  ip link show docker0 >/dev/null 2>&1 && apart=(unshare -n --)
  mount_cgroups
  as_root rm -f "$dir/docker.pid"
  as_root setsid "${apart[@]}" bash -c 'ip link set lo up 2>/dev/null; exec dockerd --data-root "$1/data" --exec-root "$1/exec" -p "$1/docker.pid" -H "unix://$1/docker.sock" --live-restore' _ "$dir" \
    </dev/null >"$dir/dockerd.log" 2>&1 &
  local starter=$!
  until engine_answers "unix://$dir/docker.sock"; do
    kill -0 "$starter" 2>/dev/null || { tail -n 5 "$dir/dockerd.log" >&2; die "dockerd ended at start (log: $dir/dockerd.log)"; }
    pause 0.1
  done
  say "started an engine of our own at unix://$dir/docker.sock"
  echo "unix://$dir/docker.sock"
}

# stop_private_engine DIR: ends the engine started there, and what it mounted.
stop_private_engine() {
  local dir=$1 pid
  pid=$(cat "$dir/docker.pid" 2>/dev/null) || return 0
  as_root kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do pause 0.1; done
  local shim
  for shim in $(pgrep -f "containerd-shim.*$dir/exec" 2>/dev/null || true); do as_root kill -9 "$shim" 2>/dev/null || true; done
  for mount in $(awk -v d="$dir/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r); do as_root umount -l "$mount" 2>/dev/null || true; done
}

# On a machine without an init system nobody has mounted the cgroup hierarchy that an engine needs.
mount_cgroups() {
  grep -q ' /sys/fs/cgroup' /proc/mounts && return 0
  as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup || say "could not mount /sys/fs/cgroup; the engine may refuse to start"
}

# serve_until_ready FOLDER ARGUMENT...: starts the program, unless it runs, and waits for its ready line. FOLDER takes log, ready line
# and pid; --data is FOLDER/data.
serve_until_ready() {
  local folder=$1 pid; shift
  if pid=$(cat "$folder/serve.pid" 2>/dev/null) && alive "$pid"; then
    say "already running (pid $pid)"
    return 0
  fi
  mkdir -p "$folder"
  : >"$folder/ready"
  # The engine's own files need root; so do namespaces. The program drops what it doesn't need.
  launch "$program" serve "$@" </dev/null >"$folder/ready" 2>>"$folder/serve.log" &
  pid=$!
  until grep -q '^ready ' "$folder/ready"; do
    alive "$pid" || { tail -n 20 "$folder/serve.log" >&2; die "poseidon ended at start (log: $folder/serve.log)"; }
    pause 0.05
  done
  as_root cat "$folder/data/lock" >"$folder/serve.pid"
  # Whoever ran this may use the command line.
  [ "$(id -u)" = 0 ] || as_root chown "$(id -u)" "$folder/data" "$folder/data/admin.key" "$folder/data/api.address"
  say "$(cat "$folder/ready")"
}

# end PID: TERM, then waits for its end.
end() {
  as_root kill "$1" 2>/dev/null || return 0
  while alive "$1"; do pause 0.05; done
}

# pause SECONDS: between two looks at something that is coming up.
pause() { read -r -t "$1" <> <(:) || true; }

# import_image ENGINE NAME FOLDER CHANGE...: makes an image of a folder through the engine's API.
import_image() {
  local engine=$1 name=$2 folder=$3 query="" change
  shift 3
  for change in "$@"; do query+="&changes=$(jq -rn --arg v "$change" '$v|@uri' 2>/dev/null || urlencode "$change")"; done
  tar -C "$folder" --owner=0 --group=0 -c . | curl -sf --unix-socket "${engine#unix://}" -X POST -H 'Content-Type: application/x-tar' --data-binary @- \
    "http://engine/images/create?fromSrc=-&repo=${name%:*}&tag=${name#*:}$query" >/dev/null || die "the engine did not import $name"
}
urlencode() {
  local text=$1 out="" c i
  for ((i = 0; i < ${#text}; i++)); do
    c=${text:i:1}
    case $c in [a-zA-Z0-9._~-]) out+=$c ;; *) out+=$(printf '%%%02X' "'$c") ;; esac
  done
  echo "$out"
}

# remove_labelled ENGINE LABEL: removes every container, network and volume that carries the label.
remove_labelled() {
  local socket=${1#unix://} filter id
  filter=$(urlencode "{\"label\":[\"$2\"]}")
  for id in $(curl -s --unix-socket "$socket" "http://engine/containers/json?all=1&filters=$filter" | grep -oE '"Id":"[0-9a-f]+"' | cut -d'"' -f4); do
    curl -s --unix-socket "$socket" -X DELETE "http://engine/containers/$id?force=1&v=1" >/dev/null
  done
  for id in $(curl -s --unix-socket "$socket" "http://engine/networks?filters=$filter" | grep -oE '"Id":"[0-9a-f]+"' | cut -d'"' -f4); do
    curl -s --unix-socket "$socket" -X DELETE "http://engine/networks/$id" >/dev/null
  done
  for id in $(curl -s --unix-socket "$socket" "http://engine/volumes?filters=$filter" | grep -oE '"Name":"[^"]+"' | cut -d'"' -f4); do
    curl -s --unix-socket "$socket" -X DELETE "http://engine/volumes/$id?force=1" >/dev/null
  done
}

# reference_image ENGINE: makes poseidon/hello (busybox httpd) unless it is there.
reference_image() {
  local engine=$1 name=poseidon/hello:1 dir applet
  curl -sf --unix-socket "${engine#unix://}" "http://engine/images/$name/json" >/dev/null && return 0
  dir=$(mktemp -d)
  mkdir -p "$dir/bin" "$dir/etc" "$dir/tmp" "$dir/www"
  cp "$(command -v busybox)" "$dir/bin/busybox"
  for applet in $("$dir/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$dir/bin/$applet"; done
  cp -r "$root/config/examples/challenges/hello/image/." "$dir/"
  chmod 1777 "$dir/tmp"
  echo 'root:x:0:0:root:/:/bin/sh' >"$dir/etc/passwd"
  import_image "$engine" "$name" "$dir" 'CMD ["/bin/sh","/start"]' 'EXPOSE 8000'
  rm -rf "$dir"
}
