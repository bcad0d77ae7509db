# Functions of every scenario; sourced before its script by `Lab::play`, under `set -eu`.

# The built program under a name that every user can reach: the build directory often lies in a private home.
EXPLAIN="$LAB/bin/explain"
: >"$EXPLAIN"
mount --bind "$BUILT" "$EXPLAIN"
umask 022

# explained NAME COMMAND...: runs the command under explain and keeps what came of it as the run NAME; never fails.
explained() {
	run="$LAB/runs/$1"
	shift
	status=0
	"$EXPLAIN" --report "$run.json" -- "$@" >"$run.out" 2>"$run.err" || status=$?
	echo "$status" >"$run.status"
}

# explained_as USER NAME COMMAND...: the same as another user (name or number), without capabilities and groups of root.
explained_as() {
	user=$1
	run="$LAB/runs/$2"
	shift 2
	status=0
	setpriv --reuid "$user" --regid 65534 --clear-groups --inh-caps=-all \
		"$EXPLAIN" --report "$run.json" -- "$@" >"$run.out" 2>"$run.err" || status=$?
	echo "$status" >"$run.status"
}

# loop_mount TYPE SIZE DIRECTORY [MKFS OPTION...]: a new filesystem in a file, mounted; it detaches itself when unmounted.
# The lock is for scenarios that run beside this one: a free loop device can be taken between being found and being used.
loop_mount() {
	type=$1 size=$2 directory=$3
	shift 3
	image=$(mktemp -p "$LAB/images")
	truncate -s "$size" "$image"
	"mkfs.$type" -q "$@" "$image"
	mkdir -p "$directory"
	flock /dev/loop-control mount -t "$type" -o loop "$image" "$directory"
}

# serve DIRECTORY: an HTTP server on a free loopback port, which ends with the scenario; sets URL.
serve() {
	python3 - "$1" >"$LAB/served" 2>"$LAB/server.log" <<-'PYTHON' &
		import functools, http.server, sys
		handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
		print(server.server_port, flush=True)
		server.serve_forever()
	PYTHON
	until [ -s "$LAB/served" ]; do sleep 0.02; done
	URL="http://127.0.0.1:$(cat "$LAB/served")"
}
