# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests of berth-task: `load helper`, `load task`. Uses $USER_DIR/bundle, which task_setup_file makes.
#
#   task [OPTION]... -- COMMAND...    one task in one container, to its end; fails with 99 where anything is left behind
#   task_start [OPTION]... -- CMD...  the same in the background: $task_pid is berth-task; stdout and stderr are the
#                                     files $out and $err
#   task_end                          waits for it: $status; checks what is left
#
# Options: -c NAME the configuration $USER_DIR/conf/NAME.conf; -b DIR the bundle; -s DIR the spool folder; -d DIR the
# job's folder; -k KEY=VALUE one more record of the request; -e NAME=VALUE one more variable of the task; -r as root;
# -p on a terminal.

variants="crun-run crun-create runc-run runc-create"
host_path=$PATH

# The operations of a runtime as a site would write them. $1 is run or create, the rest the command up to the verb.
operations() {
	local mode=$1 id=%n.%u.%j.%s.%t
	shift
	echo "RunTimeQuery=\"$* state $id\""
	echo "RunTimeKill=\"$* kill -a $id KILL\""
	echo "RunTimeDelete=\"$* delete --force $id\""
	if [ "$mode" = run ]; then
		echo "RunTimeRun=\"$* run --bundle %b $id\""
	else
		echo "RunTimeCreate=\"$* create --bundle %b $id\""
		echo "RunTimeStart=\"$* start $id\""
	fi
}

# make_conf NAME VARIANT [LINE]...
make_conf() {
	local name=$1 variant=$2 to=$USER_DIR/conf/$1.conf
	mkdir -p "$USER_DIR/conf"
	case ${variant%-*} in
	crun) operations "${variant#*-}" crun --cgroup-manager=disabled --root=%m/.rt ;;
	runc) operations "${variant#*-}" runc --rootless=true --root=%m/.rt ;;
	none) : ;;
	esac >"$to"
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$to"
}

task_setup_file() {
	helper_setup_file
	local v
	make_bundle "$USER_DIR/bundle"
	for v in $variants; do
		make_conf "$v" "$v"
	done
}

# $USER_DIR/hostpid: the same, sharing the host's pid namespace, and so its /proc.
host_pid_bundle() {
	[ ! -d "$USER_DIR/hostpid" ] || return 0
	cp -a "$USER_DIR/bundle" "$USER_DIR/hostpid"
	jq 'del(.linux.namespaces[] | select(.type == "pid")) | (.mounts[] | select(.destination == "/proc")) =
		{ destination: "/proc", type: "none", source: "/proc", options: ["rbind"] }' \
		"$USER_DIR/bundle/config.json" >"$USER_DIR/hostpid/config.json"
}

as_root() {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	${in_place:+exec} unshare -m --propagation private sh -c "$without_hybrid" sh env -i "PATH=$host_path" "HOME=$USER_HOME" "$@"
}

new_spool() {
	spool=$(mktemp -d "$USER_DIR/sp.XXXXXX")
	chmod 700 "$spool"
	[ "$1" = root ] || [ "$(id -u)" -ne 0 ] || chown "$test_user:" "$spool"
}

# Parses the options and writes the request. Sets who, request, spool, mark.
task_prepare() {
	local conf=crun-run bundle=$USER_DIR/bundle dir=$USER_HOME word
	local -a keys=() vars=("HOME=$USER_HOME" "USER=$test_user" PATH=/host/path)
	who=user spool=
	while [ "$1" != -- ]; do
		case $1 in
		-c) conf=$2 && shift ;;
		-b) bundle=$2 && shift ;;
		-s) spool=$2 && shift ;;
		-d) dir=$2 && shift ;;
		-k) keys+=("$2") && shift ;;
		-e) vars+=("$2") && shift ;;
		-p) keys+=(pty=1) ;;
		-r) who=root ;;
		*) echo "task: unknown option $1" && return 98 ;;
		esac
		shift
	done
	shift
	[ -n "$spool" ] || new_spool $who
	mark=BERTH_MARK=$RANDOM$RANDOM$RANDOM
	request=$(mktemp "$USER_DIR/request.XXXXXX")
	{
		printf '%s\0' berth-request=1 "bundle=$bundle" "chdir=$dir" job=7 step=0 task=3 "node=${node:=n$RANDOM}" "spool=$spool" \
			"config=$USER_DIR/conf/$conf.conf" "mark=$mark" "${vars[@]/#/env=}" "${keys[@]}"
		for word; do
			printf 'arg=%s\0' "$word"
		done
		printf 'end=1\0'
	} >"$request"
	chmod 644 "$request"
}

# Whatever berth-task leaves is a failure; the runtime's own root is the launcher's, with the spool folder.
task_left() {
	local left p
	left=$(
		grep -lszxF "$mark" /proc/[0-9]*/environ
		find "$spool" -mindepth 1 ! -path "$spool/.rt" 2>/dev/null
		grep -F "$spool" /proc/self/mountinfo
		true
	)
	[ -z "$left" ] || { printf 'left behind:\n%s\n' "$left"; return 1; }
}

task_forget() {
	[ -n "${KEEP_SPOOL:-}" ] || rm -rf "$spool" "$request"
}

task() {
	local rc=0
	task_prepare "$@" || return
	"as_$who" "$BERTH_STAGE/libexec/berth/berth-task" --request "$request" || rc=$?
	task_left || rc=99
	task_forget
	return $rc
}

# The descriptors of the test runner, which waits until the last user of them is gone.
close_others() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || [ "$fd" -ge 255 ] || eval "exec $fd>&-"
	done
}

# A test that failed leaves nothing running.
teardown() {
	[ -z "${task_pid:-}" ] || kill -KILL "$task_pid" 2>/dev/null || true
	[ -z "${launcher:-}" ] || kill -KILL "$launcher" 2>/dev/null || true
}

task_start() {
	task_prepare "$@" || return
	out=$spool.out err=$spool.err
	(in_place=1; "as_$who" "$BERTH_STAGE/libexec/berth/berth-task" --request "$request") >"$out" 2>"$err" 3>&- &
	task_pid=$!
}

task_gone() {
	! kill -0 "$task_pid" 2>/dev/null || grep -qs '^State:.Z' "/proc/$task_pid/status"
}

task_end() {
	status=0
	# Not for ever: a hang is a failure like others.
	if ! wait_for 30 task_gone; then
		echo "berth-task does not end: $(pgrep -aP "$task_pid")"
		kill -KILL "$task_pid"
	fi
	wait "$task_pid" || status=$?
	task_pid=
	task_left || { status=99; return 1; }
	task_forget
}

# Until the task's output holds a line.
says() {
	wait_for 20 grep -qxF -- "$1" "$out"
}

# task_launch [OPTION]... -- COMMAND...: as task_start, by a launcher of its own, $launcher, which the request names as
# the parent. Killing it is for the test.
task_launch() {
	local fifo=$USER_DIR/launch.$RANDOM
	mkfifo "$fifo"
	(
		close_others
		read -r request <"$fifo"
		(in_place=1; as_user "$BERTH_STAGE/libexec/berth/berth-task" --request "$request") >"$request.out" 2>"$request.err" &
		echo $! >"$fifo"
		wait
	) &
	launcher=$!
	task_prepare -k "parent=$launcher" "$@"
	out=$request.out err=$request.err
	echo "$request" >"$fifo"
	read -r task_pid <"$fifo"
	rm "$fifo"
}
