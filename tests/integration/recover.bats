#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever is killed, and whenever: nothing stays, and the job's state is right.
#
# BERTH_TEST_KILLS=N   random kills of each process of the chain (10)
# BERTH_TEST_SEED=N    of their moments
load helper
load engine

# Not of those that have ended and wait for their parent.
pid_of() { pgrep -r R,S,D,T -u "$test_user" "$@" | head -n 1; }

supervisor() { pid_of -f 'berth --supervisor'; }

is_running() { state_is "$1" RUNNING; }

nothing_left() { no_jobs && no_leftovers; }

@test "a killed supervisor: the job is NODE_FAIL, the next one starts by itself" {
	export BERTH_CPUS=0
	a=$(submit -o /dev/null --wrap 'setsid sleep 300 & sleep 300')
	b=$(submit --wrap 'echo next')
	wait_for 10 is_running "$a"
	sleep 0.2
	kill -KILL "$(supervisor)"
	wait_for 10 test -s "slurm-$b.out"
	[ "$(cat "slurm-$b.out")" = next ]
	state_is "$a" NODE_FAIL
	wait_for 5 nothing_left
}

@test "--requeue: a killed supervisor's job runs again" {
	job=$(submit --requeue -o re.txt --open-mode=append --wrap 'echo run; [ -e again ] || { touch again; sleep 300; }')
	wait_for 10 test -e again
	kill -KILL "$(supervisor)"
	as_user squeue >/dev/null
	wait_for 10 state_is "$job" COMPLETED
	[ "$(wc -l <re.txt)" -eq 2 ]
}

@test "a killed srun: its record says so, its processes are gone" {
	as_user srun sh -c 'setsid sleep 300 & echo ready; sleep 300' >log 2>&1 &
	wait_for 10 grep -q ready log
	kill -KILL "$(pid_of -x srun)"
	wait || true
	as_user squeue >/dev/null
	wait_for 5 nothing_left
	[ "$(as_user sacct -n -X -P -o State | tail -n 1)" = NODE_FAIL ]
}

@test "a killed salloc: its steps end" {
	as_user salloc srun sleep 300 >log 2>&1 &
	wait_for 10 pgrep -u "$test_user" -f 'sleep 300'
	kill -KILL "$(pid_of -x salloc)"
	wait || true
	as_user squeue >/dev/null
	wait_for 5 nothing_left
}

@test "a waiting srun that is killed leaves the queue" {
	export BERTH_CPUS=0
	a=$(submit -o /dev/null --wrap 'sleep 4')
	wait_for 10 is_running "$a"
	as_user srun true >log 2>&1 &
	wait_for 10 grep -q queued log
	kill -KILL "$(pid_of -x srun)"
	wait || true
	wait_for 10 nothing_left
	run as_user sacct -n -X -P -o JobID,State
	echo "$output"
	[[ ${lines[-1]} == *CANCELLED* ]]
}

@test "everything killed at once: queued jobs are queued again" {
	export BERTH_CPUS=0
	a=$(submit -o /dev/null --container "$BUNDLE" --wrap 'sleep 300')
	b=$(submit --wrap 'echo survived')
	wait_for 10 is_running "$a"
	sleep 0.3
	pkill -KILL -u "$test_user" -f 'berth|sleep 300' || true
	as_user squeue >/dev/null
	[ "$(output_of "$b")" = survived ]
	state_is "$a" NODE_FAIL
	wait_for 10 nothing_left
}

@test "a record that was lost is spoken of once" {
	id=$(submit -H --wrap true) gone=$(submit -H --wrap true)
	as_user sh -c ": >$BERTH_STATE_DIR/jobs/$id/job; rm -r $BERTH_STATE_DIR/jobs/$gone"
	run as_user srun true
	[ "$status" -eq 0 ]
	[[ $output == *"job $id: damaged"* && $output == *"job $gone: "* ]]
	run as_user srun true
	[ "$status" -eq 0 ] && [ -z "$output" ]
	as_user rm -r "$BERTH_STATE_DIR/jobs/$id"
}

@test "a state folder that is removed ends whoever worked for it" {
	state=$USER_DIR/other-state
	BERTH_STATE_DIR=$state submit --wrap 'sleep 1'
	wait_for 10 eval '[ "$(BERTH_STATE_DIR=$state as_user squeue -h -t R | wc -l)" -eq 1 ]'
	as_user rm -r "$state"
	wait_for 10 no_leftovers
}

@test "a waiting srun gets its turn though owner and watcher were killed" {
	BERTH_CPUS=0 submit --wrap 'sleep 60'
	wait_for 10 eval '[ -n "$(supervisor)" ]'
	BERTH_CPUS=0 as_user srun true 3>&- &
	wait_for 10 eval '[ "$(as_user squeue -h -t PD | wc -l)" -eq 1 ]'
	kill -KILL "$(supervisor)" "$(pid_of -f "berth --watcher")"
	wait_for 20 eval '! kill -0 $! 2>/dev/null'
	wait $!
}

# victim NAME: the pid of a process of the chain, if there is one just now
victim() {
	case $1 in
	srun) pid_of -x srun ;;
	supervisor) supervisor ;;
	berth-task) pid_of -x berth-task ;;
	runtime) pid_of -x 'runc|crun' ;;
	process-1) pid_of -f '^(sh -c|sleep 0.7)' ;;
	esac
}

# The states that a job may be in after NAME was killed; COMPLETED where the kill came too late.
allowed() {
	case $1 in
	srun) [[ $2 =~ ^(NODE_FAIL|COMPLETED|FAILED)$ ]] ;;
	supervisor) [[ $2 =~ ^(NODE_FAIL|COMPLETED)$ ]] ;;
	*) [[ $2 =~ ^(FAILED|COMPLETED)$ ]] ;;
	esac
}

kill_at_random() {
	local name=$1 delay pid job state
	printf -v delay '0.%03d' $((RANDOM % 200))
	job=$(submit -o /dev/null --wrap \
		"srun --container '$BUNDLE' sh -c 'setsid sleep 0.9 & (setsid sleep 0.9 &); sleep 0.7'")
	sleep "$delay"
	pid=$(victim "$name") || true
	[ -z "$pid" ] || kill -KILL "$pid" || true
	as_user squeue >/dev/null
	wait_for 20 ended "$job"
	wait_for 10 nothing_left || { echo "after $name was killed at $delay s (job $job)"; return 1; }
	state=$(state "$job")
	allowed "$name" "$state" || { echo "$state after $name was killed at $delay s (job $job)"; return 1; }
}

@test "random kills of each process of the chain" {
	RANDOM=${BERTH_TEST_SEED:=$(date +%s)}
	echo "seed $BERTH_TEST_SEED"
	for name in srun supervisor berth-task runtime process-1; do
		for _ in $(seq "${BERTH_TEST_KILLS:-10}"); do
			kill_at_random "$name"
		done
	done
}
