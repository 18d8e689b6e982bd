#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A container on a terminal.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() { task_setup_file; }

# on_terminal STEP... -- TASK-ARGUMENT...: the steps of drive-pty, then what task takes.
on_terminal() {
	local -a steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	task_prepare -p "$@"
	status=0
	output=$(in_place=1; as_user "$USER_DIR/drive-pty" 24 80 "${steps[@]}" -- \
		"$BERTH_STAGE/libexec/berth/berth-task" --request "$request" 2>&1 3>&-) || status=$?
	task_left || { echo "$v: $output"; return 1; }
	task_forget
}

check() {
	"$@" || { echo "$v: status $status: $(tail -n 10 <<<"$output")"; return 1; }
}

@test "a terminal of its own, controlling, of the right size" {
	for v in $variants; do
		on_terminal expect:done end -- -c "$v" -- sh -c 'stty size; tty; : >/dev/tty && echo control
			test -t 0 && test -t 1 && test -t 2 && echo all; echo done; exit 6'
		check [ "$status" -eq 6 ]
		check grep -q '^24 80' <<<"$output"
		check grep -q control <<<"$output"
		check grep -q all <<<"$output"
		check grep -q '^/dev/' <<<"$output"
	done
}

@test "what is typed arrives, echoed once" {
	for v in $variants; do
		on_terminal expect:ready 'send:hello you\n' 'expect:got hello you' end -- -c "$v" -- \
			sh -c 'echo ready; read -r line; echo "got $line"'
		check [ "$status" -eq 0 ]
		check [ "$(grep -c '^hello you' <<<"$output")" = 1 ]
	done
}

@test "Ctrl-C, Ctrl-\\ and Ctrl-Z reach the foreground process inside, not berth-task" {
	for v in $variants; do
		on_terminal expect:ready 'send:\x03' expect:INT 'send:\x1c' expect:QUIT 'send:\x1a' expect:TSTP 'send:end\n' end -- \
			-c "$v" -- sh -c 'trap "echo got INT" INT; trap "echo got QUIT" QUIT; trap "echo got TSTP" TSTP
			echo ready; until read -r line && [ "$line" = end ]; do :; done; exit 11'
		check [ "$status" -eq 11 ]
		check [ "$(grep -c 'got INT' <<<"$output")" = 1 ]
		check [ "$(grep -c 'got QUIT' <<<"$output")" = 1 ]
	done
}

@test "Ctrl-C ends a child of a shell inside" {
	local typed="sh -c 'echo a-b | tr ab cd; exec cat'"
	for v in $variants; do
		on_terminal 'expect:# ' "send:$typed\n" expect:c-d 'send:\x03' 'expect:# ' 'send:exit 3\n' end -- \
			-c "$v" -e PS1='# ' -- sh -i
		check [ "$status" -eq 3 ]
	done
}

@test "a change of the window's size is seen inside" {
	for v in $variants; do
		on_terminal expect:ready size:50:132 'expect:WINCH 50 132' 'send:x\n' end -- -c "$v" -- \
			sh -c 'trap "echo WINCH \$(stty size)" WINCH; echo ready; until read -r line; do :; done'
		check [ "$status" -eq 0 ]
	done
}

@test "end of file is typed with Ctrl-D" {
	for v in $variants; do
		on_terminal expect:ready 'send:two\nlines\n\x04' expect:counted end -- -c "$v" -- \
			sh -c 'echo ready; echo "$(wc -l) counted"'
		check grep -q '2 counted' <<<"$output"
	done
}

@test "no byte is lost when a container ends at once" {
	for v in $variants; do
		for i in 1 2 3; do
			on_terminal end -- -c "$v" -- sh -c 'seq 1 20000'
			check [ "$(grep -c . <<<"$output")" = 20000 ]
			check grep -q '^20000' <<<"${output##*$'\n'}"
		done
	done
}

@test "the terminal is as it was afterwards, also when the runtime was killed" {
	for v in $variants; do
		on_terminal expect:ready 'send:x\n' expect:bye wait cooked -- -c "$v" -- sh -c 'echo ready; read -r x; echo bye'
		check [ "$status" -eq 0 ]
		on_terminal expect:ready "kill:KILL:${v%-*}" kill:KILL:sleep wait cooked -- -c "$v" -- sh -c 'echo ready; sleep 300'
		check [ "$status" -eq 137 ]
	done
}

@test "a signal to berth-task reaches process 1 on a terminal, too" {
	for v in $variants; do
		on_terminal expect:ready kill:USR1:berth-task expect:USR1 'send:x\n' end -- -c "$v" -- \
			sh -c 'trap "echo got USR1" USR1; echo ready; until read -r line; do :; done'
		check [ "$(grep -c 'got USR1' <<<"$output")" = 1 ]
	done
}
