#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL at random moments to berth-task, to the runtime and to process 1: nothing stays. BERTH_TEST_KILLS is how often
# each (10), BERTH_TEST_SEED repeats a run.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() {
	task_setup_file
	host_pid_bundle
	export KILL_SEED=${BERTH_TEST_SEED:-$RANDOM}
	echo "# seed $KILL_SEED" >&3
}

# The kills of one target, shared out among runtimes, modes and pid namespaces. Process 1 leaves a grandchild that left
# its session.
kills() {
	local target=$1 total=${BERTH_TEST_KILLS:-10} n=0 each v b
	each=$(((total + 7) / 8))
	for v in $variants; do
		for b in bundle hostpid; do
			task_prepare -c "$v" -b "$USER_DIR/$b" -- sh -c '(setsid sh -c "trap \"\" TERM HUP; sleep 1000; sleep 1000" &)
				sleep 1000; sleep 1000' kill-chain-init
			cp "$request" "$spool.request"
			chmod 644 "$spool.request"
			: >"$spool.err"
			[ "$(id -u)" -ne 0 ] || chown "$test_user" "$spool.err"
			run as_user "$USER_DIR/kill-chain" "$KILL_SEED" $each "$target" "$spool" \
				"$BERTH_STAGE/libexec/berth/berth-task"
			[ "$status" -eq 0 ] || { echo "$v, $b: $output"; return 1; }
			task_left
			# The runtime's own root holds no container.
			[ -z "$(ls -A "$spool/.rt" 2>/dev/null)" ] || { echo "$v, $b: $(find "$spool/.rt")"; return 1; }
			task_forget
		done
	done
}

@test "berth-task killed: its launcher cleans up, and nothing is left" { kills task; }

@test "the runtime killed: nothing is left" { kills runtime; }

@test "process 1 killed: nothing is left" { kills init; }

@test "the folder below ContainerPath does not outlive a killed berth-task either" {
	make_conf elsewhere crun-run "ContainerPath=\"$USER_HOME/cp/%j\""
	task_start -c elsewhere -- sh -c 'echo ready; sleep 1000'
	says ready
	ls "$USER_HOME/cp/7"/task-3.*/config.json
	kill -KILL "$task_pid"
	wait "$task_pid" || true
	# Another task's folder, whose berth-task lives, is left alone.
	as_user "$BERTH_STAGE/libexec/berth/berth-task" --cleanup "$spool"
	task_left
	[ ! -e "$USER_HOME/cp/7" ]
}

@test "--cleanup leaves a living berth-task alone, and what is not there is no error" {
	task_start -- sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 1000 & wait; done'
	says ready
	as_user "$BERTH_STAGE/libexec/berth/berth-task" --cleanup "$spool"
	kill -TERM "$task_pid"
	task_end
	[ "$status" -eq 5 ]
	as_user "$BERTH_STAGE/libexec/berth/berth-task" --cleanup "$USER_DIR/nothing"
}
