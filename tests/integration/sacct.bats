#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

setup_file() {
	helper_setup_file
	cd "$USER_DIR/home" || return 1
	as_user sbatch --parsable -o /dev/null -W -J good -p debug -A proj -n 2 --wrap 'srun -n2 true; srun -n1 -J two sh -c "exit 4"; exit 0' >good
	as_user sbatch --parsable -o /dev/null -W -J bad -t 2 --wrap 'exit 3' >bad || true
	as_user sbatch --parsable -o /dev/null -W -J killed --wrap 'kill -TERM $$; sleep 1' >killed || true
	as_user sbatch --parsable -o /dev/null -H -J gone --wrap true >gone
	as_user scancel "$(cat gone)"
	good=$(cat good) bad=$(cat bad) killed=$(cat killed) gone=$(cat gone) node=$(hostname -s)
	export good bad killed gone node
}

@test "the usual columns" {
	run as_user sacct -j "$bad"
	[ "${lines[0]}" = "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode " ]
	[ "${lines[1]}" = "------------ ---------- ---------- ---------- ---------- ---------- -------- " ]
	[ "${lines[2]}" = "$(printf '%-12s        bad      local                     1     FAILED      3:0 ' "$bad")" ]
	[ "${lines[3]}" = "$(printf '%-12s      batch                                1     FAILED      3:0 ' "$bad.batch")" ]
	[ "${#lines[@]}" -eq 4 ]
}

@test "steps have their own lines, names and statuses" {
	run as_user sacct -nP -j "$good" -o jobid,jobname,state,exitcode,ntasks,account,partition,derivedexitcode
	[ "$output" = "$good|good|COMPLETED|0:0||proj|debug|4:0
$good.batch|batch|COMPLETED|0:0|1|proj||
$good.0|true|COMPLETED|0:0|2|proj||
$good.1|two|FAILED|4:0|1|proj||" ]
	run as_user sacct -nP -j "$good.1" -o jobid
	[ "$output" = "$good.1" ]
	run as_user sacct -nPX -o jobid
	[ "$output" = "$good
$bad
$killed
$gone" ]
}

@test "a signal that ended a job is behind the colon; who cancelled it is said" {
	run as_user sacct -nPX -j "$killed" -o state,exitcode
	[ "$output" = "FAILED|0:15" ]
	run as_user sacct -nPX -j "$gone" -o state,alloccpus,start,nodelist
	[ "$output" = "CANCELLED by $(id -u "$test_user")|0|Unknown|None assigned" ]
	run as_user sacct -nX -j "$gone" -o state
	[ "$output" = "CANCELLED+ " ]
	run as_user sacct -nX -j "$gone" -o state%-20
	[ "$output" = "$(printf '%-20s ' "CANCELLED by $(id -u "$test_user")")" ]
}

@test "parsable forms" {
	run as_user sacct -b -p -X -j "$bad"
	[ "$output" = "JobID|State|ExitCode|
$bad|FAILED|3:0|" ]
	run as_user sacct -b -P -n -X -j "$bad" --delimiter=';'
	[ "$output" = "$bad;FAILED;3:0" ]
}

@test "fields are found by any case and by their beginning; unknown ones are an error" {
	run as_user sacct -nPX -j "$bad" -o TIMELIMIT,reqcpu,user,uid,workdir,maxrss
	[ "$output" = "00:02:00|1|$test_user|$(id -u "$test_user")|$USER_DIR/home|" ]
	run as_user sacct -o nosuch
	[ "$status" -eq 1 ]
	[ "$output" = 'sacct: error: Invalid field requested: "nosuch"; sacct --helpformat lists them' ]
	run as_user sacct --helpformat
	[[ $output == *JobIDRaw*MaxRSS* ]]
	run as_user env SACCT_FORMAT=jobname sacct -nXP -j "$bad"
	[ "$output" = bad ]
}

@test "jobs are chosen by state, name and time" {
	run as_user sacct -nXP -S today -s F,CA -o jobid
	[ "$output" = "$bad
$killed
$gone" ]
	run as_user sacct -nXP --name good -o jobid
	[ "$output" = "$good" ]
	run as_user sacct -nXP -S now+1hour -E now+2hours -o jobid
	[ -z "$output" ]
	run as_user sacct -nXP -E 2020-01-01 -S 2019-01-01 -o jobid
	[ -z "$output" ]
	run as_user sacct -S nonsense
	[ "$status" -eq 1 ]
	[[ $output == "sacct: error: --starttime: 'nonsense'"* ]]
}

@test "JSON has Slurm's names and forms" {
	run as_user sacct --json
	jq -e --argjson id "$good" '.errors == [] and (.jobs[] | select(.job_id == $id) | .name == "good" and
		.state == {current: ["COMPLETED"], reason: "None"} and .exit_code.status == ["SUCCESS"] and
		.derived_exit_code.return_code.number == 4 and (.steps | map(.step.name)) == ["batch", "true", "two"]
		and .steps[2].exit_code.return_code.number == 4 and .time.end >= .time.start)' <<<"$output"
	jq -e --argjson id "$killed" '.jobs[] | select(.job_id == $id) | .exit_code.signal.name == "TERM" and
		.exit_code.status == ["SIGNALED"]' <<<"$output"
}
