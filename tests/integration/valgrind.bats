#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-task under valgrind: no error, no leak, no descriptor left open, whichever way it ends. See tests/valgrind.
load helper

setup_file() {
	local top=$BATS_TEST_DIRNAME/../.. build=$BATS_TEST_DIRNAME/../../build/valgrind
	command -v valgrind >/dev/null || skip "valgrind is missing"
	helper_setup_file
	[ -f "$build/build.ninja" ] || meson setup "$build" "$top" --prefix=/ -Dstatic=false -Dtests=disabled
	ninja -C "$build" --quiet
	DESTDIR=$USER_DIR/stage meson install -C "$build" --no-rebuild --quiet
	cp "$build"/tests/valgrind/{valgrind-shim.so,syscall-helper} "$USER_DIR/stage"
	chmod -R a+rX "$USER_DIR/stage"
	make_bundle "$USER_DIR/bundle"
}

setup() {
	spool=$USER_HOME/spool
	as_user mkdir -m 700 -p "$spool"
}

# request NAME=VALUE...: a request for the bundle with these records, in $USER_DIR/request
request() {
	printf '%s\0' berth-request=1 "bundle=$USER_DIR/bundle" env=PATH=/bin chdir=/ job=1 step=0 task=0 node=here \
		"spool=$spool" embedded=1 "$@" end=1 >"$USER_DIR/request"
	chmod 644 "$USER_DIR/request"
}

# under_valgrind STATUS ARGUMENT...: berth-task must end so, and valgrind must have nothing to say.
under_valgrind() {
	local want=$1 log=$USER_HOME/valgrind
	shift
	rm -f "$log".*
	run as_user env BERTH_SYSCALL_HELPER="$USER_DIR/stage/syscall-helper" \
		LD_PRELOAD="$USER_DIR/stage/valgrind-shim.so" \
		valgrind --leak-check=full --track-fds=yes --log-file="$log.%p" \
		"$USER_DIR/stage/libexec/berth/berth-task" --request "$USER_DIR/request" "$@"
	echo "status $status: $output"
	[ "$status" -eq "$want" ]
	# The children of a fork that executed say nothing; the one that ended is berth-task.
	local report
	report=$(grep -l 'ERROR SUMMARY' "$log".*)
	cat "$report"
	grep -q 'ERROR SUMMARY: 0 errors' "$report"
	# Each "Open file descriptor" is followed by the line that says it was inherited.
	! grep -A 1 'Open file descriptor' "$report" | grep -v -e 'Open file descriptor' -e '<inherited from parent>' -e '^--$'
}

@test "a container that ends by itself" {
	request arg=sh arg=-c 'arg=echo in; exit 3'
	under_valgrind 3
	[ "${lines[0]}" = in ]
}

@test "a container that a signal ends" {
	request arg=sh arg=-c 'arg=sh -c "kill -9 \$\$"; exit $?'
	under_valgrind 137
}

@test "create and start" {
	as_user tee "$USER_HOME/oci.conf" >/dev/null <<-'END'
		RunTimeCreate="runc --root=%m/rt create -b %b c%t"
		RunTimeStart="runc --root=%m/rt start c%t"
		RunTimeQuery="runc --root=%m/rt state c%t"
		RunTimeKill="runc --root=%m/rt kill -a c%t"
		RunTimeDelete="runc --root=%m/rt delete --force c%t"
	END
	request arg=sh arg=-c 'arg=exit 4'
	under_valgrind 4 --config "$USER_HOME/oci.conf"
}

@test "a command that the image does not have" {
	request arg=nonexistent
	under_valgrind 127
}

@test "a bundle that is none" {
	request arg=sh
	tr '\0' '\n' <"$USER_DIR/request" | sed 's|^bundle=.*|bundle=/nonexistent|' | tr '\n' '\0' >"$USER_DIR/other"
	cat "$USER_DIR/other" >"$USER_DIR/request"
	under_valgrind 125
}

@test "a request that is none" {
	printf 'berth-request=2\0' >"$USER_DIR/request"
	under_valgrind 125
}
