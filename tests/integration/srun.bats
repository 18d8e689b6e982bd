#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth srun: a command as a job or a step, with the embedded engine.
load helper
load engine

@test "a command runs, and its exit status is srun's" {
	run as_user srun sh -c 'echo out; echo err >&2; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *out* && $output == *err* && $output == *"task 0: Exited with exit code 7"* ]]
	run as_user srun true
	[ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "128 and the signal is the status of a command that a signal ended" {
	run as_user srun sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	[[ $output == *"task 0: Killed"* ]]
}

@test "a missing command is reported as Slurm does" {
	run as_user srun no-such-command
	[ "$status" -eq 2 ]
	[[ $output == *"execve(): no-such-command: No such file or directory"* ]]
}

@test "several tasks, labels, each its number; the highest status wins" {
	BERTH_CPUS=0-7 run as_user srun -n3 -l sh -c 'echo "$SLURM_PROCID of $SLURM_NTASKS"; exit "$SLURM_PROCID"'
	[ "$status" -eq 2 ]
	for i in 0 1 2; do [[ $output == *"$i: $i of 3"* ]]; done
}

@test "tasks are bound to CPUs of their own" {
	[ "$(nproc)" -ge 2 ] || skip "host: one CPU"
	run as_user srun -n2 -l sh -c 'grep Cpus_allowed_list /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(printf '%s\n' "$output" | awk '{ print $NF }' | sort -u | wc -l)" -eq 2 ]
}

@test "what the machine can never give is refused" {
	run as_user srun -n 5000 true
	[ "$status" -eq 1 ]
	[[ $output == *"Requested node configuration is not available"* ]]
	run as_user srun --mem 900T true
	[ "$status" -eq 1 ]
}

@test "SLURM_ variables of the tasks" {
	run as_user srun -J name env
	[ "$status" -eq 0 ]
	for v in SLURM_JOB_ID SLURM_JOBID SLURM_STEP_ID SLURM_STEPID SLURM_PROCID SLURM_LOCALID SLURM_NODEID SLURM_NTASKS \
		SLURM_NPROCS SLURM_NNODES SLURM_JOB_NODELIST SLURM_SUBMIT_DIR SLURM_CPUS_ON_NODE SLURM_CLUSTER_NAME \
		SLURM_TASK_PID SLURM_JOB_NAME=name SLURM_JOB_UID SLURM_TASKS_PER_NODE SLURM_GTIDS; do
		[[ $'\n'$output == *$'\n'"$v"* ]] || { echo "no $v"; false; }
	done
	run as_user srun sh -c '[ "$SLURM_TASK_PID" = $$ ]'
	[ "$status" -eq 0 ]
}

@test "stdin of any size reaches one task and several, and no byte is lost" {
	seq 1 300000 >"$USER_DIR/in"
	want=$(md5sum <"$USER_DIR/in")
	[ "$(as_user srun cat <"$USER_DIR/in" | md5sum)" = "$want" ]
	[ "$(as_user srun --container "$BUNDLE" cat <"$USER_DIR/in" | md5sum)" = "$want" ]
	export BERTH_CPUS=0-3
	[ "$(as_user srun -n2 -l cat <"$USER_DIR/in" | sort | md5sum)" = \
		"$(for i in 0 1; do sed "s/^/$i: /" "$USER_DIR/in"; done | sort | md5sum)" ]
	[ "$(as_user srun -n3 -i 1 cat <"$USER_DIR/in" | md5sum)" = "$want" ]
	[ "$(as_user srun -n2 -i none cat <"$USER_DIR/in" | wc -c)" -eq 0 ]
}

@test "a reader that goes away ends the tasks, a slow one loses nothing" {
	export BERTH_CPUS=0-3
	as_user timeout 20 srun -n2 yes | head -n 5 >/dev/null
	[ "$(as_user srun -n2 seq 1 20000 | (sleep 0.3; wc -l))" -eq 40000 ]
}

@test "output files by task" {
	export BERTH_CPUS=0-3
	as_user srun -n2 -o 'o-%t-%x.txt' -J nm sh -c 'echo "out $SLURM_PROCID"; echo "err $SLURM_PROCID" >&2'
	[ "$(cat o-1-nm.txt)" = "$(printf 'out 1\nerr 1')" ]
	as_user srun -n2 -o all.txt -e none sh -c 'echo "out $SLURM_PROCID"; echo err >&2'
	[ "$(sort all.txt)" = "$(printf 'out 0\nout 1')" ]
	as_user srun --open-mode=append -o all.txt echo more
	[ "$(wc -l <all.txt)" -eq 3 ]
}

@test "--export" {
	[ "$(as_user env A=1 B=2 srun --export=A,C=3 sh -c 'echo "$A$B$C"')" = 13 ]
	[ "$(as_user env A=1 srun --export=NONE sh -c 'echo "$A$SLURM_PROCID"')" = 0 ]
	[ "$(as_user env A=1 srun --export=ALL,D=2 sh -c 'echo "$A$D"')" = 12 ]
}

@test "--chdir" {
	[ "$(as_user srun -D /usr pwd)" = /usr ]
}

@test "a container, and steps in containers, one each" {
	[ "$(as_user srun --container "$BUNDLE" cat /inside)" = inside ]
	[ "$(as_user srun --container ./bundle cat /inside)" = inside ]
	[ "$(as_user env SRUN_CONTAINER="$BUNDLE" srun cat /inside)" = inside ]
	[ "$(as_user env SLURM_CONTAINER="$BUNDLE" srun cat /inside)" = inside ]
	[ "$(as_user srun srun --container "$BUNDLE" cat /inside)" = inside ]
	BERTH_CPUS=0-3 run as_user srun -n2 -l --container "$BUNDLE" sh -c 'cat /inside; echo "$SLURM_PROCID"'
	[ "$status" -eq 0 ]
	[[ $output == *"1: inside"* && $output == *"0: inside"* && $output == *"1: 1"* ]]
	run as_user srun --export=NONE --container "$BUNDLE" sh -c 'cat /inside; exit 3'
	[ "$status" -eq 3 ] && [[ $output == *inside* ]]
	wait_for 5 no_leftovers
}

@test "a container that is not there never becomes the bare host" {
	run as_user srun --container "$USER_HOME/nowhere" sh -c 'echo RAN'
	[ "$status" -eq 125 ]
	[[ $output != *RAN* ]]
	wait_for 5 no_leftovers
}

@test "--pty: a terminal of its own, its size, and Ctrl-C" {
	export -f as_user
	export user_path test_user without_hybrid
	run script -qec 'stty cols 91 rows 17; as_user srun --pty sh -c "tty; stty size; ps -o tty= -p \$\$"' /dev/null </dev/null
	[[ $output == */dev/pts/* && $output == *"17 91"* ]]
}

@test "signals to srun reach the tasks" {
	as_user srun sh -c 'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.05; done' >log 2>&1 &
	pid=$!
	wait_for 5 grep -q ready log
	kill -USR1 "$(pgrep -u "$test_user" -x srun)"
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 9 ]
	grep -q got log
}

@test "Ctrl-C: once tells, twice within a second ends" {
	export -f as_user
	export user_path test_user without_hybrid
	cat >keys <<-'END'
		sleep 1; printf '\003'; sleep 0.3; printf '\003'; sleep 2
	END
	sh keys | timeout 20 script -qec 'as_user srun sleep 60; echo "status $?"' /dev/null >log 2>&1 || true
	grep -q 'one more within 1 sec to abort' log
	grep -q 'sending Ctrl-C to StepId' log
	grep -q 'status 130' log
	wait_for 5 no_leftovers
}

@test "TERM to srun ends the step, KILL follows" {
	as_user srun sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done' >log 2>&1 &
	pid=$!
	wait_for 5 grep -q ready log
	kill -TERM "$(pgrep -u "$test_user" -x srun)"
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 137 ]
	wait_for 5 no_leftovers
}

@test "the time limit" {
	run as_user srun -t 0:01 sleep 60
	[ "$status" -eq 143 ]
	[[ $output == *"DUE TO TIME LIMIT"* ]]
	run as_user sacct -n -X -P -o State
	[ "${lines[-1]}" = TIMEOUT ]
	run as_user salloc -Q sh -c 'srun -t 0:01 sleep 60; echo "then $?"'
	[[ $output == *"then 143"* ]]
}

@test "a step that waits for CPUs that another holds, and --overlap" {
	export BERTH_CPUS=0
	run as_user salloc sh -c 'srun sleep 0.5 & sleep 0.2; srun -Q echo waited; srun --overlap -Q echo over; wait'
	[ "$status" -eq 0 ]
	[[ $output == *waited* && $output == *over* ]]
}

@test "--jobid --overlap joins another job" {
	job=$(submit -o /dev/null --wrap 'sleep 30')
	wait_for 10 state_is "$job" RUNNING
	run as_user srun --jobid "$job" --overlap sh -c 'echo "$SLURM_JOB_ID.$SLURM_STEP_ID"'
	[ "$status" -eq 0 ] && [[ $output == *"$job.0"* ]]
	as_user scancel "$job"
	wait_for 10 ended "$job"
	[[ $(state "$job") == CANCELLED* ]]
	run as_user srun --jobid "$job" true
	[ "$status" -eq 1 ]
}

@test "-K ends the step at the first bad exit, -W after a while" {
	export BERTH_CPUS=0-3
	start=$SECONDS
	run as_user srun -n2 -K sh -c '[ "$SLURM_PROCID" = 0 ] && exit 3; sleep 30'
	[ "$status" -ne 0 ]
	run as_user srun -n2 -W 1 sh -c '[ "$SLURM_PROCID" = 0 ] || sleep 30'
	[ $((SECONDS - start)) -lt 15 ]
}

@test "background processes of a task end with it" {
	as_user srun sh -c 'setsid sleep 321 & setsid sh -c "sleep 321 & sleep 321" & exit 0'
	! pgrep -u "$test_user" -f 'sleep 321'
}

@test "a job that a step submits outlives the step" {
	job=$(as_user srun sbatch --parsable -o late.txt --wrap 'sleep 0.5; echo late')
	wait_for 10 state_is "$job" COMPLETED
	[ "$(cat late.txt)" = late ]
}

@test "closed standard streams are taken for nothing else" {
	as_user sh -c 'srun sh -c "echo out; echo err >&2; cat" <&- >&- 2>&-'
	as_user sh -c 'srun no-such-command <&- >&- 2>&-' || true
	[ "$(as_user sacct -n -X -P -o ExitCode | tail -n 1)" = 2:0 ]
}

@test "a working directory that is not there" {
	run as_user srun -D "$USER_HOME/nowhere" pwd
	[[ $output == *"going to /tmp instead"* && ${lines[-1]} == /tmp ]]
}

@test "what tasks leave to init does not stay as zombies" {
	run as_user srun sh -c 'for i in 1 2 3 4 5; do (sleep 0.01 &); done; sleep 0.3
		cat /proc/[0-9]*/status 2>/dev/null | awk "/^State:/ { s = \$2 } /^PPid:/ && \$2 == p && s == \"Z\"" p=$PPID'
	[ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "started with SIGCHLD ignored" {
	for container in "" "--container=$BUNDLE"; do
		run as_user perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' srun $container sh -c 'exit 7'
		[ "$status" -eq 7 ]
	done
}

@test "a working directory that was removed" {
	for command in "srun" "srun --container=$BUNDLE" "sbatch --wrap" salloc; do
		run as_user sh -c 'mkdir gone && cd gone && rmdir ../gone && exec "$@"' sh $command true
		[ "$status" -eq 1 ]
		[[ $output == *"the working directory no longer exists; --chdir names another"* ]]
	done
}
