# Functions of up and down for a cluster on this one machine: NATS, and two processes that are gateway, node and edge each,
# every node with an engine of its own. Sourced after lib.sh.

cluster_folder=$state/cluster
nats_port=${POSEIDON_NATS_PORT:-4222}
read -r -a cluster_ports <<<"${POSEIDON_CLUSTER_PORTS:-8080 8081 8082 8083}" # API and edge of the first, API and edge of the second
[ ${#cluster_ports[@]} = 4 ] || die "POSEIDON_CLUSTER_PORTS names four ports: API and edge of the first process, then of the second"

# cluster_nats: starts NATS with JetStream on loopback, unless it runs.
cluster_nats() {
  local server pid
  if pid=$(cat "$cluster_folder/nats.pid" 2>/dev/null) && alive "$pid"; then return 0; fi
  server=$(install_nats_server)
  mkdir -p "$cluster_folder"
  "$server" -a 127.0.0.1 -p "$nats_port" -js -sd "$cluster_folder/nats" </dev/null >>"$cluster_folder/nats.log" 2>&1 &
  pid=$!
  echo "$pid" >"$cluster_folder/nats.pid"
  until (exec 3<>"/dev/tcp/127.0.0.1/$nats_port") 2>/dev/null; do
    alive "$pid" || { tail -n 5 "$cluster_folder/nats.log" >&2; die "nats-server ended at start (POSEIDON_NATS_PORT names another port)"; }
    pause 0.05
  done
}

# cluster_up ENGINE: the second node's engine is always one of its own.
cluster_up() {
  local engines=("$1" "") n data
  engines[1]=$(start_private_engine "$cluster_folder/n2/engine")
  reference_image "${engines[1]}"
  cluster_nats
  if [ ! -e "$cluster_folder/n2/data/cluster.json" ]; then
    as_root env POSEIDON_CLUSTER="${POSEIDON_CLUSTER:-poseidon}" "$program" cluster init --nats "nats://127.0.0.1:$nats_port" --data "$cluster_folder/n1/data" --quiet |
      as_root "$program" join - --data "$cluster_folder/n2/data" >&2
  fi
  for n in 1 2; do
    data=$cluster_folder/n$n/data
    serve_until_ready "$cluster_folder/n$n" --data "$data" --node "n$n" --engine "${engines[$((n - 1))]}" --challenges "$root/config/examples/challenges" \
      --api "${POSEIDON_API_HOST:-127.0.0.1}:${cluster_ports[2 * n - 2]}" --edge "${POSEIDON_EDGE_HOST:-127.0.0.1}:${cluster_ports[2 * n - 1]}"
  done
}

# cluster_down: instances, processes, NATS and the second engine.
cluster_down() {
  local n pid
  compgen -G "$cluster_folder/*.pid" >/dev/null || compgen -G "$cluster_folder/n?/serve.pid" >/dev/null || return 0
  for n in 1 2; do
    pid=$(cat "$cluster_folder/n$n/serve.pid" 2>/dev/null) && alive "$pid" || continue
    POSEIDON_DATA=$cluster_folder/n$n/data "$program" stop --all >/dev/null || say "not every instance could be stopped; removing what is left"
    for ((i = 0; i < 300; i++)); do [ -z "$(POSEIDON_DATA=$cluster_folder/n$n/data "$program" ps -q 2>/dev/null)" ] && break; pause 0.1; done
    break # one gateway speaks for all
  done
  for n in 1 2; do
    pid=$(cat "$cluster_folder/n$n/serve.pid" 2>/dev/null) && alive "$pid" && end "$pid"
    rm -f "$cluster_folder/n$n/serve.pid" "$cluster_folder/n$n/ready"
  done
  pid=$(cat "$cluster_folder/nats.pid" 2>/dev/null) && alive "$pid" && end "$pid"
  rm -f "$cluster_folder/nats.pid"
  engine_answers "unix://$cluster_folder/n2/engine/docker.sock" &&
    remove_labelled "unix://$cluster_folder/n2/engine/docker.sock" "poseidon.cluster=${POSEIDON_CLUSTER:-poseidon}"
  stop_private_engine "$cluster_folder/n2/engine"
  say "the cluster is stopped"
}
