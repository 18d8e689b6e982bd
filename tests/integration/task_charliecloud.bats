#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The configuration for Charliecloud that sites have, with the real ch-run: a folder in place of a bundle. Only the host
# folders that it binds are the test's own.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() {
	command -v ch-run >/dev/null || skip "host: no ch-run"
	helper_setup_file
	local image=$USER_DIR/image
	make_rootfs "$image"
	mkdir -p "$USER_DIR"/{etc-slurm,munge,conf} "$image"/{etc/slurm,var/run/slurm,var/run/munge,mnt}
	echo ClusterName=test >"$USER_DIR/etc-slurm/slurm.conf"
	chmod -R a+rX "$USER_DIR/etc-slurm" "$USER_DIR/munge"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$image"
	sed "s|--bind /etc/slurm:|--bind $USER_DIR/etc-slurm:|; s|--bind /var/run/munge/:|--bind $USER_DIR/munge/:|" \
		"$BATS_TEST_DIRNAME/../data/oci-conf/charliecloud-0.30.conf" >"$USER_DIR/conf/charliecloud.conf"
}

# The user it names by whoami is this one, also when root runs the tests.
ch() {
	task -c charliecloud -b "$USER_DIR/image" "$@"
}

@test "a command runs in the image" {
	run ch -- sh -c 'grep PRETTY /etc/os-release; cat /etc/slurm/slurm.conf; exit 5'
	[ "$status" -eq 5 ]
	[ "${lines[0]}" = 'PRETTY_NAME="Berth Test Linux"' ]
	[ "${lines[1]}" = ClusterName=test ]
	[ "$(id -u)" -eq 0 ] || return 0
	run ch -r -- sh -c 'grep PRETTY /etc/os-release; exit 5'
	[ "$status" -eq 5 ]
	[ "${lines[0]}" = 'PRETTY_NAME="Berth Test Linux"' ]
}

@test "the status passes unchanged, whatever it is" {
	for n in 0 1 125 126 127; do
		run ch -- sh -c "exit $n"
		[ "$status" -eq $n ]
		[[ "$output" != *berth-task* ]]
	done
	run ch -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
}

@test "words arrive as they were" {
	local words=('a b' '' "it's" '"' '$(id)' ';' $'new\nline' 'ä' '*')
	ch -- printf '[%s]' "${words[@]}" >"$USER_DIR/got"
	printf '[%s]' "${words[@]}" | cmp - "$USER_DIR/got"
}

@test "the environment file reaches it, without what is excluded" {
	run ch -e 'A=1 2' -e SLURM_CONF=/secret -e SLURM_JOB_ID=7 -- env
	[[ "$output" = *"A=1 2"* ]]
	[[ "$output" = *SLURM_JOB_ID=7* ]]
	[[ "$output" != */secret* ]]
}

@test "the spool folder is where the site binds it" {
	run ch -- sh -c 'ls -d /var/run/slurm/task-3.*/environment'
	[[ "$output" = /var/run/slurm/task-3.*/environment ]]
}

@test "stdin and signals" {
	head -c 10000000 /dev/urandom >"$USER_DIR/big"
	run ch -- md5sum <"$USER_DIR/big"
	[ "${lines[0]%% *}" = "$(md5sum <"$USER_DIR/big" | cut -d' ' -f1)" ]
	task_start -c charliecloud -b "$USER_DIR/image" -- sh -c 'for s in TERM USR1 HUP 40; do trap "echo got $s" $s; done
		trap "exit 42" USR2; echo ready; while :; do sleep 1000 & wait $!; kill $! 2>/dev/null; done'
	says ready
	for s in TERM USR1 HUP 40; do
		kill -s $s "$task_pid"
		says "got $s" || { cat "$out" "$err"; return 1; }
	done
	kill -s USR2 "$task_pid"
	task_end
	[ "$status" -eq 42 ]
}

@test "what it leaves running is ended, and so is it when its launcher ends" {
	run ch -- sh -c '(setsid sleep 1000 >/dev/null 2>&1 &); exit 3'
	[ "$status" -eq 3 ]
	task_launch -c charliecloud -b "$USER_DIR/image" -- sh -c '(setsid sleep 1000 &); trap "" TERM; echo ready; sleep 1000; sleep 1000'
	says ready
	kill -KILL "$launcher"
	wait_for 20 task_left
	task_forget
}

@test "berth-task killed: --cleanup leaves nothing" {
	task_start -c charliecloud -b "$USER_DIR/image" -- sh -c '(setsid sleep 1000 &); trap "" TERM; echo ready; sleep 1000; sleep 1000'
	says ready
	kill -KILL "$task_pid"
	wait "$task_pid" || true
	as_user "$BERTH_STAGE/libexec/berth/berth-task" --cleanup "$spool"
	wait_for 10 task_left
	task_forget
}
