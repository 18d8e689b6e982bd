#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth salloc: a job's place for a command or a shell, with the embedded engine.
load helper
load engine

@test "a command, its status, and what salloc says" {
	run as_user salloc sh -c 'echo "job $SLURM_JOB_ID"; exit 5'
	[ "$status" -eq 5 ]
	[[ $output == *"Granted job allocation"* && $output == *"job "* && $output == *Relinquishing* ]]
}

@test "a shell that reads commands" {
	out=$(printf 'echo "in $SLURM_JOB_ID"\nexit 3\n' | as_user env SHELL=/bin/sh salloc 2>/dev/null) && status=0 || status=$?
	[ "$status" -eq 3 ]
	[[ $out == in\ [0-9]* ]]
}

@test "with --container, command and shell are inside" {
	[ "$(as_user salloc -Q --container "$BUNDLE" cat /inside)" = inside ]
	[ "$(echo 'cat /inside' | as_user salloc -Q --container "$BUNDLE")" = inside ]
	[ "$(as_user env SALLOC_CONTAINER="$BUNDLE" salloc -Q cat /inside)" = inside ]
	run as_user salloc --container "$USER_HOME/nowhere" sh -c 'echo RAN'
	[ "$status" -eq 125 ] && [[ $output != *RAN* ]]
	wait_for 5 no_leftovers
}

@test "srun inside uses the allocation" {
	[ "$(as_user salloc -Q srun --container "$BUNDLE" cat /inside)" = inside ]
	BERTH_CPUS=0-3 run as_user salloc -Q -n3 srun -l sh -c 'echo "$SLURM_STEP_ID"'
	[ "$(printf '%s\n' "$output" | sort)" = "$(printf '0: 0\n1: 0\n2: 0')" ]
	[ "$(as_user salloc -Q sh -c 'srun true; srun sh -c "echo \$SLURM_STEP_ID"')" = 1 ]
}

@test "a cancelled allocation ends its command and its steps" {
	as_user salloc sh -c 'srun sleep 300; sleep 300' >log 2>&1 &
	pid=$!
	wait_for 10 grep -q Granted log
	sleep 0.3
	as_user scancel -u "$test_user"
	wait "$pid" && status=0 || status=$?
	[ "$status" -ne 0 ]
	grep -q revoked log
	wait_for 5 no_leftovers
}

@test "the next one waits, says so, and gets its turn" {
	export BERTH_CPUS=0
	job=$(submit -o /dev/null --wrap 'sleep 3')
	wait_for 10 state_is "$job" RUNNING
	run as_user salloc true
	[ "$status" -eq 0 ]
	[[ $output == *"queued and waiting for resources"* && $output == *"has been allocated resources"* ]]
}
