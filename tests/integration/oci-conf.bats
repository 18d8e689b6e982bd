#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# oci.conf(5) with the runtimes of this machine: what ships, what the guide of Slurm has, and none at all.

load helper

hostile='b u'\''n"d$(touch BAD);é'

setup_file() {
	helper_setup_file
	make_bundle "$USER_DIR/plain"
	make_bundle "$USER_DIR/$hostile"
	mkdir "$USER_DIR/root"
	[ "$(id -u)" -ne 0 ] || chown "$test_user:" "$USER_DIR/root"
}

setup() {
	unset BERTH_OCI_CONF
	cd "$USER_HOME"
}

# use FILE: the configuration for what comes next.
use() {
	[ -f "$1" ]
	export BERTH_OCI_CONF=$1
}

need() {
	command -v "$1" >/dev/null || skip "host: no $1"
}

# A container from a folder with a hostile name, with words that a shell would take apart.
runs_unchanged() {
	run as_user srun --container "$USER_DIR/$hostile" \
		sh -c 'printf "<%s>" "$@"; exit 7' _ 'a b' '' '$(touch BAD)' "'\"" $'n\nl' é
	[ "$status" -eq 7 ] || { echo "$output"; false; }
	[[ $output == $'<a b><><$(touch BAD)><\'"><n\nl><é>'* ]] || { echo "$output"; false; }
	[ -z "$(find "$USER_DIR" -name BAD)" ]
	no_leftovers
}

@test "what ships runs containers: crun" {
	need crun
	use "$BERTH_STAGE/share/berth/examples/crun.conf"
	runs_unchanged
}

@test "what ships runs containers: crun, create and start" {
	need crun
	use "$BERTH_STAGE/share/berth/examples/crun-create-start.conf"
	runs_unchanged
}

@test "what ships runs containers: runc" {
	need runc
	use "$BERTH_STAGE/share/berth/examples/runc.conf"
	runs_unchanged
}

@test "what ships runs containers: runc, create and start" {
	need runc
	use "$BERTH_STAGE/share/berth/examples/runc-create-start.conf"
	runs_unchanged
}

# /run/user/UID needs a login session, so another folder stands in for it.
@test "the guide's files for crun and runc run containers" {
	local f
	for f in crun-run crun-create-start runc-run runc-create-start; do
		command -v "${f%%-*}" >/dev/null || continue
		sed "s#/run/user/%U/#$USER_DIR/root#" "$BATS_TEST_DIRNAME/../data/oci-conf/$f.conf" >"$USER_DIR/$f.conf"
		use "$USER_DIR/$f.conf"
		runs_unchanged
		[ -z "$(ls -A "$USER_DIR/root")" ]
	done
}

@test "a pattern that needs a shell hands values on unchanged" {
	need runc
	cat >"$USER_DIR/shell.conf" <<-'END'
		RunTimeRun="R=%m/.runtime && exec runc --rootless=true --root=\"$R\" run --bundle '%b' \"%j.$(printf %t)\""
		RunTimeDelete="runc --root=%m/.runtime delete --force %j.%t"
	END
	use "$USER_DIR/shell.conf"
	runs_unchanged
}

@test "without a file a runtime that works is chosen, and remembered" {
	run as_user srun --container "$USER_DIR/plain" echo in
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$output" = in ]
	run cat "$USER_HOME"/.cache/berth/runtime-*
	[[ $output == *"use "* ]]
	[ "$(stat -c %a "$USER_HOME/.cache/berth")" = 700 ]
}

@test "a runtime that refuses this host's cgroups is passed over" {
	[ "$(id -u)" -eq 0 ] || skip "host: needs root to be another user in this namespace"
	[ "$(stat -fc %T /sys/fs/cgroup/unified 2>/dev/null)" = cgroup2fs ] || skip "host: no hybrid cgroups"
	need runc
	run setpriv --reuid="$test_user" --regid="$test_user" --init-groups env -i PATH="$user_path" HOME="$USER_HOME" \
		BERTH_SPOOL_DIR="$BERTH_SPOOL_DIR" srun --container "$USER_DIR/plain" echo in
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$output" = in ]
	grep -q "^use runc" "$USER_HOME"/.cache/berth/runtime-*
}

@test "a mistake stops the job and is named with its place" {
	printf 'RunTimeKill=x\nRunTimeRun="crun run %%q"\n' >"$USER_DIR/bad.conf"
	use "$USER_DIR/bad.conf"
	run as_user srun --container "$USER_DIR/plain" echo in
	[ "$status" -ne 0 ]
	[[ $output == *"bad.conf:2:22: RunTimeRun: unknown replacement '%q'"* ]]
	[[ $output != *$'\nin'* ]]
}

@test "a file that is named and missing is an error, not a reason to look elsewhere" {
	export BERTH_OCI_CONF=$USER_DIR/nowhere.conf
	run as_user srun --container "$USER_DIR/plain" echo in
	[ "$status" -ne 0 ]
	[[ $output == *nowhere.conf* && $output != *$'\nin'* ]]
}
