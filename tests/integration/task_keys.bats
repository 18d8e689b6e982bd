#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every key of oci.conf that berth-task reads, seen from inside the container or by what the runtime is told.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() {
	task_setup_file
	# A "runtime" that shows what it was called with and runs the command behind "--" on the host.
	cat >"$USER_DIR/wrapper" <<-'EOT'
		#!/bin/sh
		while [ "$1" != -- ]; do
			printf '<%s>\n' "$1"
			shift
		done
		shift
		exec "$@"
	EOT
	chmod 755 "$USER_DIR/wrapper"
}

setup() {
	# Both runtimes and both modes take their turns.
	set -- $variants
	local n=$((BATS_TEST_NUMBER % 4 + 1))
	v=${!n}
}

@test "ContainerPath: the generated bundle lies below it, is gone afterwards, and so is the folder if empty" {
	local id=%n.%u.%j.%s.%t
	make_conf path none 'ContainerPath="'"$USER_HOME"'/containers of %u/%j"' \
		'RunTimeRun="echo %b; ls %b; exec runc --rootless=true --root=%m/.rt run --bundle %b '$id'"' \
		'RunTimeKill="true"' 'RunTimeDelete="runc --root=%m/.rt delete --force '$id'"'
	run task -c path -- echo inside
	[[ "${lines[0]}" = "$USER_HOME/containers of $test_user/7/task-3."* ]]
	[[ "$output" = *config.json*inside ]]
	[ "$status" -eq 0 ]
	[ ! -e "$USER_HOME/containers of $test_user/7" ]
	# A folder that others can write to is no place for it.
	mkdir -p "$USER_HOME/containers of $test_user/7"
	chmod 777 "$USER_HOME/containers of $test_user/7"
	run task -c path -- echo inside
	[ "$status" -eq 125 ]
	[[ "$output" = *ContainerPath* ]]
	rm -rf "$USER_HOME"/containers*
}

env_file() {
	make_conf envfile none IgnoreFileConfigJson=true "$1" "RunTimeRun=\"$USER_DIR/wrapper %e -- cat %e\"" \
		RunTimeKill="true" RunTimeDelete="true"
	task -c envfile -e 'A=1 2' -e $'B=two\nlines' -- x
}

@test "CreateEnvFile: null, newline, disabled, and true and false for the first and the last" {
	for value in null true; do
		env_file CreateEnvFile=$value | tr '\0' '|' >"$USER_DIR/got"
		grep -q "|A=1 2|B=two$" "$USER_DIR/got"
		grep -q "^lines|" "$USER_DIR/got"
	done
	run env_file CreateEnvFile=newline
	[[ "$output" = *$'\nA=1 2\n'* ]]
	[[ "$output" = *"B is left out of the environment file"* ]]
	[[ "$output" != *B=two* ]]
	for value in disabled false; do
		run env_file CreateEnvFile=$value
		[ "${lines[0]}" = "<>" ]
		[ "$status" -ne 0 ]
	done
}

@test "CreateEnvFile holds the container's environment, also with a config.json" {
	make_conf envfile2 "$v" CreateEnvFile=newline DisableCleanup=true
	KEEP_SPOOL=1
	new_spool user
	task -c envfile2 -s "$spool" -e A=1 -- true || [ $? -eq 99 ]
	grep -qx A=1 "$spool"/task-3.*/environment
	grep -qx FROM_IMAGE=yes "$spool"/task-3.*/environment
	[ "$(stat -c %a "$spool"/task-3.*/environment)" = 600 ]
	rm -rf "$spool"
}

@test "DisableCleanup: the generated files stay" {
	make_conf keep "$v" DisableCleanup=true
	KEEP_SPOOL=1
	new_spool user
	run -99 task -c keep -s "$spool" -- true
	ls "$spool"/task-3.*/bundle/config.json
	rm -rf "${spool:?}"/*
	make_conf keep "$v" DisableCleanup=false
	task -c keep -s "$spool" -- true
	rm -rf "$spool"
}

@test "EnvExclude keeps variables out of the container" {
	make_conf exclude "$v" 'EnvExclude="^(SECRET|TOKEN_.*)=|=hidden$"'
	run task -c exclude -e SECRET=1 -e TOKEN_X=1 -e A=hidden -e SECRETARY=in -- env
	[[ "$output" != *SECRET=* ]]
	[[ "$output" != *TOKEN_X* ]]
	[[ "$output" != *hidden* ]]
	[[ "$output" = *SECRETARY=in* ]]
}

@test "RunTimeEnvExclude keeps variables from the runtime, and only from it" {
	make_conf rtexclude none IgnoreFileConfigJson=true 'RunTimeEnvExclude="^SECRET="' CreateEnvFile=newline \
		'RunTimeRun="env; echo in the file:; cat %e"' RunTimeKill=true RunTimeDelete=true
	run task -c rtexclude -e SECRET=1 -e OPEN=1 -e LD_AUDIT=/x -- x
	before=${output%%in the file:*} after=${output#*in the file:}
	[[ "$before" != *SECRET* ]]
	[[ "$before" = *OPEN=1* ]]
	[[ "$before" != *LD_AUDIT* ]]
	[[ "$before" = *PATH=/usr/local/sbin:* ]]
	[[ "$after" = *SECRET=1* ]]
}

@test "MountSpoolDir: where the spool folder is inside" {
	make_conf spooldir "$v" 'MountSpoolDir="/var/spool of %u/%j"'
	run task -c spooldir -- sh -c 'ls -d "$1"/task-3.*; echo from inside >"$1/note"' sh "/var/spool of $test_user/7"
	[[ "${lines[0]}" = "/var/spool of $test_user/7/task-3."* ]] || { echo "$v: $output"; return 1; }
	[ ! -e "$USER_DIR/bundle/rootfs/var/spool of $test_user" ]
	make_conf spooldir "$v"
	run task -c spooldir -- sh -c 'ls -d "$1"/sp.*/task-3.*' sh "$USER_DIR"
	[[ "$output" = "$USER_DIR/sp."*/task-3.* ]]
	make_conf spooldir "$v" 'MountSpoolDir="relative"'
	run task -c spooldir -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"not an absolute path"* ]]
}

@test "IgnoreFileConfigJson: no bundle is read or written, %r is %b, and the status passes unchanged" {
	make_conf ignore none IgnoreFileConfigJson=true "RunTimeRun=\"$USER_DIR/wrapper %b %r -- %@\"" RunTimeKill=true \
		RunTimeDelete=true
	run task -c ignore -b 'docker://no such/image' -- sh -c 'exit 5'
	[ "$status" -eq 5 ]
	[ "${lines[*]}" = "<docker://no such/image> <docker://no such/image>" ]
	for n in 1 125 126 127 255; do
		run task -c ignore -- sh -c "exit $n"
		[ "$status" -eq $n ]
		[[ "$output" != *berth-task* ]]
	done
	run task -c ignore -- sh -c 'kill -USR1 $$'
	[ "$status" -eq 138 ]
}

@test "the patterns' values" {
	make_conf values none IgnoreFileConfigJson=true CreateEnvFile=null RunTimeKill=true RunTimeDelete=true \
		"RunTimeRun=\"$USER_DIR/wrapper %b %e %j %s %t %m %n %r %u %U %Z %% -- %@\""
	node=n1
	run task -c values -b "/x y" -d "$USER_HOME" -- printf '[%s]' 'a b' ''
	[ "${lines[0]}" = "</x y>" ]
	[[ "${lines[1]}" = "<$USER_DIR/sp."*"/task-3."*"/environment>" ]]
	[ "${lines[2]} ${lines[3]} ${lines[4]}" = "<7> <0> <3>" ]
	[[ "${lines[5]}" = "<$USER_DIR/sp."* ]]
	[ "${lines[6]}" = "<n1>" ]
	[ "${lines[7]}" = "</x y>" ]
	[ "${lines[8]}" = "<$test_user>" ]
	[ "${lines[9]}" = "<$(id -u "$test_user")>" ]
	[ "${lines[10]}" = "<$USER_HOME>" ]
	[ "${lines[11]}" = "<%>" ]
	[ "${lines[12]}" = "[a b][]" ]
}

# logged FILE: the configuration FILE.conf, whose operations write down that they were run
logged() {
	rm -f "$USER_HOME/calls"
	sed 's|^RunTime\([A-Za-z]*\)="|&echo \1 >>'"$USER_HOME"'/calls; exec |' "$USER_DIR/conf/$1.conf" >"$USER_DIR/conf/logged.conf"
}

@test "Run where it is set, else Create, Start and Delete; no Kill after a good end" {
	for v in $variants; do
		logged "$v"
		case $v in
		# Run is used in place of the other two.
		*-run) grep -e Create -e Start "$USER_DIR/conf/${v%-*}-create.conf" >>"$USER_DIR/conf/logged.conf" ;;
		esac
		run task -c logged -- sh -c 'exit 3'
		[ "$status" -eq 3 ] || { echo "$v: $output"; return 1; }
		case $v in
		*-run) [ "$(cat "$USER_HOME/calls")" = Run ] ;;
		*) [ "$(grep -v Query "$USER_HOME/calls" | tr '\n' ' ')" = "Create Start Delete " ] ;;
		esac
	done
}

@test "Kill and Delete are run when the launcher ends, with %p as the runtime's process" {
	cat >"$USER_DIR/conf/killer.conf" <<-EOT
		IgnoreFileConfigJson=true
		RunTimeRun="sleep 300"
		RunTimeKill="$USER_DIR/kill %p"
		RunTimeDelete="touch $USER_HOME/deleted"
	EOT
	printf '#!/bin/sh\ncat /proc/$1/comm >%s/killed\n' "$USER_HOME" >"$USER_DIR/kill"
	chmod 755 "$USER_DIR/kill"
	task_launch -c killer -- x
	wait_for 10 pgrep -P "$task_pid" sleep
	kill -KILL "$launcher"
	wait_for 20 test -e "$USER_HOME/deleted"
	[ "$(cat "$USER_HOME/killed")" = sleep ]
	wait_for 10 task_left
}

@test "FileDebug, StdIODebug and DebugFlags" {
	make_conf debug "$v" FileDebug=debug StdIODebug=debug DebugFlags=Script,Backfill
	run task -c debug -- true
	[[ "$output" = *"berth-task: debug: "*"job 7 step 0 task 3"* ]]
	log=$USER_HOME/.local/state/berth/log/berth-task.7.0.3.log
	grep -q "job 7 step 0 task 3" "$log"
	grep -q "DebugFlags=Backfill has no meaning here" "$log"
	[ "$(stat -c '%a %U' "$log")" = "600 $test_user" ]
	make_conf debug "$v" StdIODebug=quiet
	run task -c debug -- nosuchthing
	[ "$status" -eq 127 ]
	[ -z "$output" ]
}

@test "SyslogDebug" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	[ ! -e /dev/log ] || skip "host: a syslog daemon has /dev/log"
	/usr/bin/python3 - "$USER_DIR/syslog" <<-'EOT' 3>&- &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("/dev/log")
		os.chmod("/dev/log", 0o666)
		s.settimeout(20)
		with open(sys.argv[1], "wb", 0) as f:
		    while not b"job 7" in (m := s.recv(65536)):
		        f.write(m + b"\n")
		    f.write(m + b"\n")
	EOT
	listener=$!
	wait_for 10 test -e /dev/log
	make_conf syslog "$v" SyslogDebug=debug
	task -c syslog -- true
	wait $listener || true
	rm -f /dev/log
	grep -a "berth-task.*job 7 step 0 task 3" "$USER_DIR/syslog"
}

@test "JobDirMount off: the image's own folder, and it says so" {
	make_conf nojobdir "$v" JobDirMount=false
	run task -c nojobdir -- sh -c 'pwd; ls "$1" 2>&1' sh "$USER_HOME"
	[[ "$output" = *"JobDirMount=false"* ]]
	[[ "$output" = *$'\n/\n'* ]]
	[[ "$output" = *"No such file"* ]]
}

@test "UserEntries off: the image's files as they are" {
	make_conf noentries "$v" UserEntries=false
	run task -c noentries -- cat /etc/passwd /etc/group
	[ "${lines[*]}" = "root:x:0:0:root:/root:/bin/sh root:x:0:" ]
}

@test "MountSlurm: the workload manager's commands and configuration, read-only; off by default" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	local made=()
	[ -e /etc/slurm ] || { mkdir /etc/slurm && made+=(/etc/slurm); }
	[ -e /etc/slurm/slurm.conf ] || { echo ClusterName=test >/etc/slurm/slurm.conf && made=(/etc/slurm/slurm.conf "${made[@]}"); }
	[ -e /usr/local/bin/squeue ] || { printf '#!/bin/sh\necho squeue here\n' >/usr/local/bin/squeue &&
		chmod 755 /usr/local/bin/squeue && made+=(/usr/local/bin/squeue); }
	make_conf slurm "$v" MountSlurm=true
	run task -c slurm -- sh -c 'grep -c = /etc/slurm/slurm.conf; ls /usr/local/bin/squeue; touch /etc/slurm/x 2>&1'
	out=$output
	make_conf slurm "$v"
	run task -c slurm -- ls /etc/slurm
	for f in "${made[@]}"; do
		[ -d "$f" ] && rmdir "$f" || rm -f "$f"
	done
	[[ "$out" = *"/usr/local/bin/squeue"* ]]
	[[ "${out%%$'\n'*}" -ge 1 ]]
	[[ "$out" = *"Read-only"* ]] || [[ "$out" = *"denied"* ]]
	[ "$status" -ne 0 ]
}

@test "Include, and the older spellings of the keys" {
	sed 's/^RunTime/OCIRunTime/' "$USER_DIR/conf/$v.conf" >"$USER_DIR/conf/ops.inc"
	printf 'Include %s\nUserEntries=false\n' "$USER_DIR/conf/ops.inc" >"$USER_DIR/conf/including.conf"
	run task -c including -- grep -c . /etc/passwd
	[ "$output" = 1 ]
}

@test "SrunPath, SrunArgs, RunTimeExec, RunTimePause and RunTimeResume are no matter of a task" {
	make_conf others "$v" SrunPath=/nowhere SrunArgs=--x 'RunTimeExec="false"' 'RunTimePause="false"' 'RunTimeResume="false"'
	run task -c others -- echo fine
	[ "$output" = fine ]
}
