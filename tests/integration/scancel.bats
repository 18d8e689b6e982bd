#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

setup() {
	cd "$USER_DIR/home" || return 1
}

teardown() {
	as_user scancel --me
	wait_for 15 no_jobs
}

no_jobs() {
	[ -z "$(as_user squeue -h)" ]
}

submit() {
	as_user sbatch --parsable -o "$USER_DIR/home/%j.out" "$@"
}

state_is() {
	[ "$(as_user squeue -h -t all -j "$1" -o %t)" = "$2" ]
}

has() {
	grep -qs "$2" "$1"
}

@test "a job that waits is cancelled at once, one that runs is ended" {
	held=$(submit -H --wrap true)
	runs=$(submit --wrap 'sleep 100')
	wait_for 10 state_is "$runs" R
	as_user scancel "$held" "$runs"
	state_is "$held" CA
	wait_for 10 state_is "$runs" CA
	wait_for 10 no_leftovers
}

@test "jobs that are not there, and such as have ended" {
	run as_user scancel 99999
	[ "$status" -eq 1 ]
	[ "$output" = "scancel: error: Kill job error on job id 99999: Invalid job id specified" ]
	id=$(submit -W --wrap true)
	run as_user scancel "$id"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run as_user scancel -v "$id"
	[ "$status" -eq 0 ]
	[ "$output" = "scancel: error: Kill job error on job id $id: Job/step already completing or completed" ]
	run as_user scancel -Qv "$id"
	[ -z "$output" ]
	run as_user scancel
	[ "$status" -eq 1 ]
	[ "$output" = "scancel: error: No job identification provided" ]
	run as_user scancel 12x
	[ "$status" -eq 1 ]
	[[ $output == "scancel: error: '12x' is no job id"* ]]
}

@test "elements of an array, and all of it" {
	id=$(submit -H -a 1-5 --wrap true)
	as_user scancel "${id}_2" "${id}_[4-5]"
	run as_user squeue -h -r -j "$id" -o %K
	[ "$output" = "1
3" ]
	as_user scancel "$id"
	run as_user squeue -h -j "$id"
	[ -z "$output" ]
}

@test "jobs are chosen by name, state and user" {
	a=$(submit -H -J one --wrap true)
	b=$(submit -H -J two --wrap true)
	c=$(submit -J two --wrap 'sleep 100')
	wait_for 10 state_is "$c" R
	as_user scancel -n one
	state_is "$a" CA
	state_is "$b" PD
	as_user scancel -n two -t PENDING
	state_is "$b" CA
	state_is "$c" R
	as_user scancel -u root
	state_is "$c" R
	as_user scancel -v -u "$test_user" -t running 2>err
	grep -qx "scancel: Terminating job $c" err
	wait_for 10 state_is "$c" CA
}

@test "no filter of a command that ends jobs is passed over" {
	a=$(submit -H --wckey=x --wrap true)
	b=$(submit -H -A acct -q high --wrap true)
	as_user scancel --wckey=y
	as_user scancel -A other
	as_user scancel -q low
	as_user scancel -w elsewhere
	as_user scancel -p other
	state_is "$a" PD
	state_is "$b" PD
	run as_user scancel --sibling=x "$a"
	[ "$status" -eq 1 ]
	as_user scancel --wckey=x
	state_is "$a" CA
	state_is "$b" PD
	as_user scancel -A acct -q high -w localhost -p local
	state_is "$b" CA
}

@test "a signal goes to the steps, with -b to the batch shell alone, with -f to all" {
	id=$(submit --wrap 'trap "echo shell" USR1
		srun sh -c "trap \"echo step\" USR1; echo ready; while :; do sleep 0.1; done" &
		while :; do wait; done')
	wait_for 10 has "$id.out" ready
	as_user scancel -s USR1 "$id"
	wait_for 10 has "$id.out" step
	run has "$id.out" shell
	[ "$status" -ne 0 ]
	as_user scancel -b -s USR1 "$id"
	wait_for 10 has "$id.out" shell
	[ "$(grep -c step "$id.out")" = 1 ]
	as_user scancel -f -s USR1 "$id"
	wait_for 10 sh -c "[ \$(grep -c step $id.out) -ge 2 ] && [ \$(grep -c shell $id.out) -ge 2 ]"
	state_is "$id" R
}

@test "one step is ended, and the job goes on" {
	id=$(submit --wrap 'srun sleep 100; echo "step: $?"; sleep 100')
	wait_for 10 sh -c "[ -n \"\$('$BERTH_STAGE/bin/berth' --version)\" ]"
	wait_for 10 step_runs "$id.0"
	as_user scancel "$id.0"
	wait_for 15 has "$id.out" '^step: [1-9]'
	state_is "$id" R
	run as_user scancel "$id.0"
	[ "$status" -eq 0 ]
	run as_user scancel "$id.5"
	[ "$status" -eq 1 ]
}

step_runs() {
	[ -n "$(as_user squeue -h -s "$1")" ]
}

@test "a job that waits takes no signal" {
	id=$(submit -H --wrap true)
	run as_user scancel -s USR1 "$id"
	[ "$status" -eq 1 ]
	[[ $output == *"Job is pending execution" ]]
	state_is "$id" PD
	run as_user scancel -s NOSUCH "$id"
	[ "$status" -eq 1 ]
}

@test "-i asks before each" {
	id=$(submit -H --wrap true)
	run as_user sh -c "echo n | scancel -i $id"
	state_is "$id" PD
	run as_user sh -c "echo y | scancel -i $id"
	[[ $output == *"job_id= $id name=wrap partition=local [y/n]? " ]] || [[ $output == *"$id name=wrap"* ]]
	state_is "$id" CA
}
