#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth sbatch: queued scripts, with the embedded engine.
load helper
load engine

@test "a script with #SBATCH lines and arguments" {
	printf '#!/bin/bash\n#SBATCH -J named\n#SBATCH -o out-%%j-%%x.txt\necho "$1|$SLURM_JOB_NAME|$PWD"\n' >job.sh
	job=$(submit -W job.sh 'a b')
	[ "$(cat "out-$job-named.txt")" = "a b|named|$USER_HOME" ]
}

@test "a script on stdin, and --wrap" {
	job=$(printf '#!/bin/sh\necho from stdin\n' | as_user sbatch --parsable)
	[ "$(output_of "$job")" = "from stdin" ]
	run as_user sbatch --wrap 'echo wrapped'
	[[ $output =~ ^Submitted\ batch\ job\ ([0-9]+)$ ]]
	[ "$(output_of "${BASH_REMATCH[1]}")" = wrapped ]
}

@test "what is no script is refused" {
	echo 'echo hello' >plain
	run as_user sbatch plain
	[ "$status" -eq 1 ] && [[ $output == *"#!"* ]]
	: >empty
	run as_user sbatch empty
	[ "$status" -eq 1 ]
	run as_user sbatch no-such-file
	[ "$status" -eq 1 ]
}

@test "-W gives the script's exit status; sacct has it" {
	run as_user sbatch -W --parsable --wrap 'exit 6'
	[ "$status" -eq 6 ]
	[ "$(as_user sacct -n -X -P -o State,ExitCode -j "$output")" = "FAILED|6:0" ]
}

@test "stdout and stderr together or apart" {
	as_user sbatch -W -o both.txt --wrap 'echo one; echo two >&2'
	[ "$(cat both.txt)" = "$(printf 'one\ntwo')" ]
	as_user sbatch -W -o o.txt -e e.txt --wrap 'echo one; echo two >&2'
	[ "$(cat o.txt)" = one ] && [ "$(cat e.txt)" = two ]
}

@test "the script runs in its container, its sruns do not" {
	as_user sbatch -W -o in.txt --container "$BUNDLE" --wrap 'cat /inside; echo "$SLURM_JOB_ID"'
	grep -q inside in.txt
	as_user sbatch -W -o step.txt --wrap "srun --container '$BUNDLE' cat /inside; srun ls /inside" || true
	grep -q '^inside' step.txt
	grep -q 'No such file' step.txt
	wait_for 5 no_leftovers
}

@test "SBATCH_CONTAINER" {
	as_user env SBATCH_CONTAINER="$BUNDLE" sbatch -W -o env.txt --wrap 'cat /inside'
	[ "$(cat env.txt)" = inside ]
}

@test "an array: one job an element, at most so many at a time" {
	export BERTH_CPUS=0-7
	job=$(submit -a 1-5%2 -o 'a-%A-%a.txt' --wrap 'echo "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"; sleep 0.3')
	sleep 0.2
	[ "$(as_user squeue -h -t R | wc -l)" -le 2 ]
	wait_for 20 no_jobs
	for i in 1 2 3 4 5; do [ "$(cat "a-$job-$i.txt")" = "$i/5" ]; done
}

@test "dependencies" {
	export BERTH_CPUS=0-7
	bad=$(submit -o /dev/null --wrap 'sleep 2; exit 1')
	any=$(submit -d "afterany:$bad" --wrap 'echo any')
	notok=$(submit -d "afternotok:$bad" --wrap 'echo notok')
	never=$(submit -d "afterok:$bad" --wrap 'echo never')
	invalid=$(submit -d "afterok:$bad" --kill-on-invalid-dep=yes --wrap 'echo never')
	[ "$(as_user squeue -h -o %r -j "$any")" = Dependency ]
	[ "$(output_of "$any")" = any ]
	[ "$(output_of "$notok")" = notok ]
	wait_for 5 ended "$invalid"
	[[ $(state "$invalid") == CANCELLED* ]]
	[ "$(as_user squeue -h -o %r -j "$never")" = DependencyNeverSatisfied ]
	as_user scancel "$never"
	wait_for 5 no_jobs
}

@test "singleton" {
	export BERTH_CPUS=0-7
	a=$(submit -J same -o /dev/null --wrap 'sleep 0.5')
	b=$(submit -J same -d singleton -o single.txt --wrap 'echo now')
	[ "$(state "$b")" = PENDING ]
	wait_for 10 state_is "$b" COMPLETED
	state_is "$a" COMPLETED
}

@test "--begin and --hold" {
	at=$(submit --begin=now+3 -o /dev/null --wrap true)
	held=$(submit -H -o /dev/null --wrap true)
	[ "$(as_user squeue -h -o %r -j "$at")" = BeginTime ]
	[ "$(as_user squeue -h -o %r -j "$held")" = JobHeldUser ]
	wait_for 10 state_is "$at" COMPLETED
	as_user scancel "$held"
	wait_for 5 no_jobs
}

@test "the time limit, and --signal before it" {
	job=$(submit -t 0:02 --signal=B:USR1@1 --wrap 'trap "echo warned" USR1; while :; do sleep 0.05; done')
	out=$(output_of "$job")
	[[ $out == *warned* && $out == *"DUE TO TIME LIMIT"* ]]
	state_is "$job" TIMEOUT
}

@test "scancel: TERM, then KILL" {
	job=$(submit --wrap 'trap "" TERM; setsid sleep 300 & while :; do sleep 0.05; done')
	wait_for 10 state_is "$job" RUNNING
	as_user scancel "$job"
	wait_for 10 no_jobs
	[[ $(state "$job") == CANCELLED* ]]
	grep -q 'CANCELLED AT' "slurm-$job.out"
	wait_for 5 no_leftovers
}

@test "it outlives the session it was submitted from" {
	as_user setsid -w sh -c 'sbatch --parsable -o late.txt --wrap "sleep 0.5; echo alive" >jobid; kill -HUP 0' || true
	wait_for 10 grep -q alive late.txt
}

@test "SLURM_ variables of the script" {
	as_user sbatch -W -n2 -c1 -o env.txt --wrap env || skip "host: two CPUs are needed"
	for v in SLURM_JOB_ID= SLURM_JOB_NODELIST= SLURM_SUBMIT_DIR= SLURM_NTASKS=2 SLURM_CPUS_PER_TASK=1 SLURM_PROCID=0; do
		grep -q "^$v" env.txt || { echo "no $v"; false; }
	done
	! grep -q '^SLURM_STEP_ID' env.txt
}

@test "steps that end with their job say so" {
	id=$(submit --wrap 'srun sleep 60 & srun -n1 --overlap sleep 60')
	wait_for 10 eval '[ "$(as_user squeue -h -s -j "$id" | grep -c sleep)" -eq 2 ]'
	as_user scancel "$id"
	wait_for 10 ended "$id"
	run as_user sacct -n -P -o JobID,State -j "$id"
	[[ $output == *"$id.0|CANCELLED"* && $output == *"$id.1|CANCELLED"* ]]
	id=$(submit --wrap 'srun sleep 60 & until [ "$(squeue -h -s -j $SLURM_JOB_ID | grep -c sleep)" -eq 1 ]; do sleep 0.1; done')
	wait_for 10 ended "$id"
	run as_user sacct -n -P -o JobID,State -j "$id"
	[[ $output == *"$id|COMPLETED"* && $output == *"$id.0|CANCELLED"* ]]
}

@test "an output file that is a pipe nobody reads fails at once" {
	as_user mkfifo pipe
	id=$(submit -o pipe --wrap 'echo hi')
	wait_for 10 ended "$id"
	state_is "$id" FAILED
	run as_user srun -o pipe true
	[ "$status" -eq 1 ]
	[[ $output == *"pipe: nobody reads it"* ]]
	as_user cat pipe >arrived &
	as_user sh -c 'sleep 0.2; srun -o pipe echo hi'
	wait $!
	[ "$(cat arrived)" = hi ]
}
