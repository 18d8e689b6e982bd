#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signals to berth-task reach the container's process 1, once each, and none is lost.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() {
	task_setup_file
	host_pid_bundle
}

# A command that says which signals it got, until USR2 ends it.
listener='for s in TERM INT HUP QUIT USR1 WINCH CONT TSTP ALRM 34 35 50 64; do trap "echo got $s" $s; done
	trap "echo got USR2; exit 42" USR2
	echo ready; while :; do sleep 1000 & wait $!; kill $! 2>/dev/null; done'

got() {
	says "got $1" || { echo "$v: no $1: $(cat "$out" "$err")"; return 1; }
}

@test "each signal reaches process 1, once" {
	for v in $variants; do
		for b in bundle hostpid; do
			task_start -c "$v" -b "$USER_DIR/$b" -- sh -c "$listener"
			says ready || { cat "$err"; return 1; }
			for s in TERM INT HUP QUIT USR1 WINCH CONT TSTP ALRM; do
				kill -s $s "$task_pid"
				got $s
			done
			for s in 34 35 50 64; do
				kill -s $s "$task_pid"
				got $s
			done
			kill -s USR2 "$task_pid"
			task_end
			[ "$status" -eq 42 ]
			[ "$(grep got "$out" | sort | uniq -d)" = "" ]
			# runc has something to say about the host's cgroups.
			run ! grep -v level=warning "$err"
		done
	done
}

@test "none is lost while process 1 does not exist yet" {
	local b=$USER_DIR/slow
	cp -a "$USER_DIR/bundle" "$b"
	mkfifo "$USER_DIR/gate"
	chmod 666 "$USER_DIR/gate"
	printf '#!/bin/sh\n: >%s/waiting\nread -r x <%s/gate\n' "$USER_HOME" "$USER_DIR" >"$USER_DIR/hook"
	chmod 755 "$USER_DIR/hook"
	jq --arg h "$USER_DIR/hook" '.hooks.createRuntime = [{ path: $h }]' "$USER_DIR/bundle/config.json" >"$b/config.json"
	for v in $variants; do
		rm -f "$USER_HOME/waiting"
		task_start -c "$v" -b "$b" -- sh -c "$listener"
		wait_for 20 test -e "$USER_HOME/waiting"
		for s in TERM INT HUP USR1 QUIT WINCH CONT 34 50; do
			kill -s $s "$task_pid"
		done
		echo go >"$USER_DIR/gate"
		for s in TERM INT HUP USR1 QUIT WINCH CONT 34 50; do
			got $s
		done
		kill -s USR2 "$task_pid"
		task_end
		[ "$status" -eq 42 ]
		[ "$(grep got "$out" | sort | uniq -d)" = "" ]
	done
	rm -rf "$b"
}

@test "a signal at any moment of the start is neither lost nor fatal to berth-task" {
	local n=0
	for v in $variants; do
		for delay in 0 0.005 0.01 0.02 0.03 0.05 0.08; do
			task_start -c "$v" -b "$USER_DIR/hostpid" -- sh -c "$listener"
			# Once berth-task itself is what runs.
			wait_for 10 grep -qs '^berth-task$' "/proc/$task_pid/comm"
			wait_blocked
			read -rt $delay <> <(:) || true
			kill -s USR1 "$task_pid"
			got USR1
			kill -s USR2 "$task_pid"
			task_end
			[ "$status" -eq 42 ] || { echo "$v after $delay: $status: $(cat "$err")"; return 1; }
		done
	done
}

# Before it blocks signals it has done nothing yet, and dies of them as any program would.
wait_blocked() {
	wait_for 10 sh -c 'mask=$(sed -n "s/^SigBlk:.//p" /proc/$1/status); [ $((0x$mask & 0x200)) -ne 0 ]' sh "$task_pid"
}

@test "real-time signals queue while process 1 does not exist yet" {
	local b=$USER_DIR/slow2
	cp -a "$USER_DIR/bundle" "$b"
	[ -p "$USER_DIR/gate" ] || mkfifo "$USER_DIR/gate"
	chmod 666 "$USER_DIR/gate"
	printf '#!/bin/sh\n: >%s/waiting\nread -r x <%s/gate\n' "$USER_HOME" "$USER_DIR" >"$USER_DIR/hook"
	chmod 755 "$USER_DIR/hook"
	jq --arg h "$USER_DIR/hook" '.hooks.createRuntime = [{ path: $h }]' "$USER_DIR/hostpid/config.json" >"$b/config.json"
	rm -f "$USER_HOME/waiting"
	v=crun-run
	# Bit by bit, so that a handler that is at work misses none.
	task_start -c $v -b "$b" -- sh -c 'trap "n=\$((n + 1)); echo got \$n" 40; trap "exit 42" USR2; echo ready
		while :; do sleep 1000 & wait $!; kill $! 2>/dev/null; done'
	wait_for 20 test -e "$USER_HOME/waiting"
	kill -s 40 "$task_pid"
	echo go >"$USER_DIR/gate"
	got 1
	kill -s 40 "$task_pid"
	got 2
	kill -s USR2 "$task_pid"
	task_end
	[ "$status" -eq 42 ]
	rm -rf "$b"
}

@test "a signal without a handler has the effect that it has on a process" {
	for v in $variants; do
		task_start -c "$v" -b "$USER_DIR/hostpid" -- sh -c 'echo ready; exec sleep 1000'
		says ready
		kill -s TERM "$task_pid"
		task_end
		[ "$status" -eq 143 ] || { echo "$v: $status"; return 1; }
	done
}

@test "Ctrl-C at a terminal that the container does not own reaches process 1 once" {
	for v in $variants; do
		task_prepare -c "$v" -- sh -c "$listener"
		run as_user "$USER_DIR/drive-pty" 24 80 expect:ready 'send:\x03' 'expect:got INT' kill:USR2:berth-task wait -- \
			"$BERTH_STAGE/libexec/berth/berth-task" --request "$request"
		[ "$status" -eq 42 ] || { echo "$v: $output"; return 1; }
		[ "$(grep -c 'got INT' <<<"$output")" = 1 ] || { echo "$v: $output"; return 1; }
		task_left
		task_forget
	done
}

@test "the launcher's death ends the container" {
	for v in $variants; do
		for b in bundle hostpid; do
			task_launch -c "$v" -b "$USER_DIR/$b" -- sh -c '(setsid sleep 1000 &); trap "" TERM HUP; echo ready; sleep 1000; sleep 1000'
			says ready || { cat "$err"; return 1; }
			kill -s KILL "$launcher"
			wait_for 20 task_left || { echo "$v $b"; task_left; return 1; }
			task_forget
		done
	done
}

@test "a launcher that is gone already gets nothing started" {
	run task -k "parent=$$" -- touch "$USER_HOME/started"
	[ "$status" -eq 125 ]
	[ ! -e "$USER_HOME/started" ]
}

@test "what process 1 leaves running ends with it" {
	for v in $variants; do
		for b in bundle hostpid; do
			run task -c "$v" -b "$USER_DIR/$b" -- sh -c '(setsid sh -c "trap \"\" TERM HUP; sleep 1000; sleep 1000" >/dev/null 2>&1 &); exit 9'
			[ "$status" -eq 9 ] || { echo "$v $b: $output"; return 1; }
		done
	done
}
