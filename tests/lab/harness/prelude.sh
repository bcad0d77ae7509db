# Functions of every scenario; sourced before its script by `Lab::play`, under `set -eu`.

# The built program under a name that every user can reach: the build directory often lies in a private home.
EXPLAIN="$LAB/bin/explain"
: >"$EXPLAIN"
mount --bind "$BUILT" "$EXPLAIN"
umask 022

# bare NAME COMMAND...: runs a command and keeps its output and status as the run NAME; never fails.
bare() {
	kept="$LAB/runs/$1"
	shift
	status=0
	# In a subshell, so that this shell's own words about a signal do not go into the file.
	(exec "$@") >"$kept.out" 2>"$kept.err" || status=$?
	echo "$status" >"$kept.status"
}

# explained NAME COMMAND...: the same under explain, with its report.
explained() {
	name=$1
	shift
	bare "$name" "$EXPLAIN" --report "$LAB/runs/$name.json" -- "$@"
}

# explained_as USER NAME COMMAND...: the same as another user (name or number).
explained_as() {
	user=$1 name=$2
	shift 2
	bare "$name" $(identity "$user") "$EXPLAIN" --report "$LAB/runs/$name.json" -- "$@"
}

# as USER COMMAND...: runs a command as another user, without root's groups and capabilities.
as() {
	user=$1
	shift
	$(identity "$user") "$@"
}

# identity USER: prints the words before a command by which `as` runs it.
identity() { echo "setpriv --reuid $1 --regid 65534 --clear-groups --inh-caps=-all"; }

# fix_of NAME PATTERN: prints the first command of the run's advice that the pattern (python's re) is found in.
fix_of() {
	python3 - "$LAB/runs/$1.json" "$2" <<-'PYTHON'
		import json, re, sys
		fixes = json.load(open(sys.argv[1]))["causes"][0]["fixes"]
		print(next(fix["command"] for fix in fixes if re.search(sys.argv[2], fix.get("command") or "")))
	PYTHON
}

# type_fix NAME PATTERN: types that command.
type_fix() {
	command=$(fix_of "$1" "$2")
	echo "typed: $command"
	sh -euc "$command"
}

# explained_in NAME WORDS COMMAND...: the same as `explained`, where WORDS (nsenter, setpriv …) before explain put it elsewhere.
explained_in() {
	name=$1 words=$2
	shift 2
	bare "$name" $words "$EXPLAIN" --report "$LAB/runs/$name.json" -- "$@"
}

# enter UNSHARE-OPTION...: makes namespaces that last as long as the scenario, and prints the words before a command that enter them.
enter() {
	unshare "$@" sleep infinity >/dev/null 2>&1 &
	# Until unshare has become sleep, its namespaces are not all there.
	until [ "$(cat "/proc/$!/comm")" = sleep ]; do sleep 0.02; done
	echo "nsenter --target $! $(enter_options "$@")"
}

enter_options() {
	for option; do
		case $option in
		--map-*) echo --preserve-credentials ;;
		*) echo "$option" ;;
		esac
	done
}

# group CONTROLLER FILE VALUE [FILE VALUE]...: makes a control group with these settings, where a file that is not there is passed over
# (the versions name them differently), sets GROUP to its directory, and inside to the words before a command that run it there.
# The group goes when the scenario ends.
group() {
	top=/sys/fs/cgroup/$1
	[ -d "$top" ] || top=/sys/fs/cgroup
	GROUP=$(mktemp -d "$top/explain-lab-XXXXXX")
	trap 'rmdir "$GROUP"' EXIT
	shift
	while [ $# -gt 1 ]; do
		[ ! -e "$GROUP/$1" ] || echo "$2" >"$GROUP/$1"
		shift 2
	done
	printf '#!/bin/sh\necho 0 >"%s/cgroup.procs"\nexec "$@"\n' "$GROUP" >"$LAB/bin/inside"
	chmod +x "$LAB/bin/inside"
	inside=$LAB/bin/inside
}

# set_for_all NAME VALUE [NAME VALUE]...: settings of the whole machine, by their files below /proc/sys, put back when the scenario ends.
# Scenarios that set some run one after the other.
set_for_all() {
	exec 8<"$BUILT"
	flock 8
	before=
	while [ $# -gt 1 ]; do
		before="$before echo $(cat "/proc/sys/$1") >/proc/sys/$1;"
		echo "$2" >"/proc/sys/$1"
		shift 2
	done
	trap "$before" EXIT
}

# unneeded_sudo: lets advice that begins with sudo be typed where there is none; the script is root already.
unneeded_sudo() {
	printf '#!/bin/sh\nexec "$@"\n' >"$LAB/bin/sudo"
	chmod +x "$LAB/bin/sudo"
	PATH=$LAB/bin:$PATH
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
