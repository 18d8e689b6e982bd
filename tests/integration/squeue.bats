#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

setup_file() {
	helper_setup_file
	cd "$USER_DIR/home" || return 1
	as_user sbatch --parsable -o /dev/null -J runs -t 10 --wrap 'sleep 100' >running
	as_user sbatch --parsable -o /dev/null -H -J "held job" -p debug --mem=1G --wrap true >held
	as_user sbatch --parsable -o /dev/null -H -a 1-3,7%2 -A proj --wrap true >array
	as_user sbatch --parsable -o /dev/null -J waits -d "afterok:$(cat running)" --wrap true >waiting
	as_user sbatch --parsable -o /dev/null -b now+1hour -J later --wrap true >later
	as_user sbatch --parsable -o /dev/null -W -J fails --wrap 'exit 3' >failed || true
	wait_for 10 running_now
	running=$(cat running) held=$(cat held) array=$(cat array) waiting=$(cat waiting) later=$(cat later)
	failed=$(cat failed) node=$(hostname -s)
	export running held array waiting later failed node
}

running_now() {
	[ "$(as_user squeue -h -j "$(cat "$USER_DIR/home/running")" -o %t)" = R ]
}

teardown_file() {
	as_user scancel --me
	wait_for 10 no_leftovers
	helper_teardown_file
}

@test "the usual columns" {
	run as_user squeue -j "$running"
	[ "${lines[0]}" = "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)" ]
	# shellcheck disable=SC2154 # set by setup_file
	[[ ${lines[1]} =~ ^\ +$running\ {5}local\ {5}runs\ .{8}\ \ R\ +0:[0-9]{2}\ {6}1\ $node$ ]]
	[ "${#lines[@]}" -eq 2 ]
}

@test "waiting jobs first, each with its reason; ended ones only when asked for" {
	run as_user squeue -h -o '%i %t %R'
	[ "$output" = "$held PD (JobHeldUser)
$waiting PD (Dependency)
$later PD (BeginTime)
${array}_[1-3,7%2] PD (JobHeldUser)
$running R $node" ]
	run as_user squeue -h -t F -o '%i %t %T %R'
	[ "$output" = "$failed F FAILED (NonZeroExitCode)" ]
	run as_user squeue -h -t all -o %i
	[ "${#lines[@]}" -eq 6 ]
}

@test "widths, justification and text between the columns" {
	run as_user squeue -j "$held" -o '[%.8j|%8j|%4j|%.3t]%i'
	[ "${lines[0]}" = "[    NAME|NAME    |NAME| ST]JOBID" ]
	[ "${lines[1]}" = "[held job|held job|held| PD]$held" ]
	run as_user squeue -h -j "$held" -O "Name:10,State:.9,MinMemory:4-x,JobID"
	[ "$output" = "$(printf 'held job    PENDING1G  -x%-20s' "$held")" ]
	run as_user squeue -o '%?'
	[ "$status" -eq 1 ]
	run as_user squeue -O NoSuch
	[ "$status" -eq 1 ]
	[ "$output" = "squeue: error: invalid format: 'NoSuch' is no column; squeue --help lists them" ]
	run as_user squeue --help
	[[ $output == *"%R ReasonList"*"Container"* ]]
}

@test "what is missing and what is without end has its text" {
	run as_user squeue -h -j "$held" -o '%a|%k|%E|%l|%L|%m|%S|%e|%q|%Q|%K|%B|%C|%D|%N|%v|%y'
	[ "$output" = "(null)|(null)|(null)|UNLIMITED|UNLIMITED|1G|N/A|N/A|normal|0|N/A|n/a|1|1||(null)|0" ]
	run as_user squeue -h -j "$running" -o '%l %N %B %E'
	[ "$output" = "10:00 $node $node (null)" ]
	run as_user squeue -h -j "$waiting" -o %E
	[ "$output" = "afterok:$running(unfulfilled)" ]
	run as_user squeue -h -j "$later" -o %S
	[[ $output == 20*T* ]]
	run as_user squeue -l -j "$later"
	[[ ${lines[0]} =~ ^[A-Z][a-z]{2}\ [A-Z][a-z]{2}\ [0-9]{2}\ [0-9:]{8}\ [0-9]{4}$ ]]
	[[ ${lines[1]} == *" TIME_LIMI  NODES NODELIST(REASON)" ]]
}

@test "arrays: one line, or a line for each element" {
	run as_user squeue -h -r -j "$array" -o '%i %F %K %a'
	[ "$output" = "${array}_1 $array 1 proj
${array}_2 $array 2 proj
${array}_3 $array 3 proj
${array}_7 $array 7 proj" ]
	run as_user squeue -h -r -j "${array}_[2,7]" -o %K
	[ "$output" = "2
7" ]
}

@test "jobs are chosen by state, name, user, account and partition" {
	run as_user squeue -h -t running -o %i
	[ "$output" = "$running" ]
	run as_user squeue -h -n "held job,waits" -o %i
	[ "$output" = "$held
$waiting" ]
	run as_user squeue -h -u root
	[ -z "$output" ]
	run as_user squeue -h -u "$test_user" -p debug -o %j
	[ "$output" = "held job" ]
	run as_user squeue -h -A proj -o %a
	[ "$output" = proj ]
	run as_user squeue -h --me -S -i -o %i
	[ "${lines[-1]}" = "$running" ]
	run as_user squeue -u no-such-user
	[ "$status" -eq 1 ]
	run as_user squeue -t nonsense
	[ "$status" -eq 1 ]
}

@test "a job that never was is an error" {
	run as_user squeue -j 99999
	[ "$status" -eq 1 ]
	[ "$output" = "squeue: error: Invalid job id specified" ]
}

@test "steps" {
	run as_user squeue -s -j "$running"
	[ "${lines[0]}" = "         STEPID     NAME PARTITION     USER      TIME NODELIST" ]
	[[ ${lines[1]} =~ ^\ +$running\.batch\ {4}batch\ {5}local ]]
	run as_user squeue -h -s "$running.7"
	[ -z "$output" ]
}

@test "JSON has Slurm's names and forms" {
	run as_user squeue --json
	jq -e --argjson id "$running" '.errors == [] and (.jobs | length) == 8 and (.jobs[] | select(.job_id == $id) |
		.name == "runs" and .job_state == ["RUNNING"] and .state_reason == "None" and .container == "" and
		.time_limit == {set: true, infinite: false, number: 10} and .partition == "local" and
		.array_task_id.set == false and .start_time.number > 0)' <<<"$output"
	jq -e --argjson id "$array" '[.jobs[] | select(.array_job_id.number == $id) | .array_task_id.number] ==
		[1, 2, 3, 7]' <<<"$output"
	jq -e --argjson id "$held" '.jobs[] | select(.job_id == $id) | .job_state == ["PENDING"] and
		.state_reason == "JobHeldUser" and .memory_per_node.number == 1024 and .hold and
		.time_limit.infinite' <<<"$output"
}

@test "variables change the defaults" {
	run as_user env SQUEUE_FORMAT=%j SQUEUE_STATES=F squeue -h
	[ "$output" = fails ]
	run as_user env SLURM_TIME_FORMAT=%Y squeue -h -j "$running" -o %V
	[ "$output" = "$(date +%Y)" ]
}

@test "a name with control characters stays on its line" {
	run as_user sh -c 'id=$(sbatch --parsable -o /dev/null -H -J "$(printf "a\nb\033c")" --wrap true)
		squeue -h -j "$id" -o %j; squeue --json | jq -c ".jobs[] | select(.job_id == $id) | .name"; scancel "$id"'
	[ "${lines[0]}" = 'a?b?c' ]
	[ "${lines[1]}" = '"a\nb\u001bc"' ]
}
