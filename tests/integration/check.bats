#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth check on hosts that are well and on hosts that are broken, each really so.
load helper

setup_file() {
	export BERTH_STATE_DIR
	helper_setup_file
	BERTH_STATE_DIR=$USER_DIR/state
	chmod 777 "$USER_DIR"
}

# Findings of the last run by name: field NAME STATUS|DETAIL|HINT.
field() {
	jq -r --arg name "$1" --arg field "$2" '[.checks[] | select(.name == $name)][0][$field]' <<<"$output"
}

write_conf() {
	cat >"$USER_DIR/oci.conf"
	chmod 644 "$USER_DIR/oci.conf"
}

runc_conf() {
	write_conf <<-'END'
		RunTimeQuery="runc --rootless=true --root=%m/rt state %n.%u.%j.%s.%t"
		RunTimeCreate="runc --rootless=true --root=%m/rt create --bundle %b %n.%u.%j.%s.%t"
		RunTimeStart="runc --rootless=true --root=%m/rt start %n.%u.%j.%s.%t"
		RunTimeKill="runc --rootless=true --root=%m/rt kill -a %n.%u.%j.%s.%t"
		RunTimeDelete="runc --rootless=true --root=%m/rt delete --force %n.%u.%j.%s.%t"
		RunTimeRun="runc --rootless=true --root=%m/rt run --bundle %b %n.%u.%j.%s.%t"
	END
}

@test "a host that is well: lines, a container run, exit status 0" {
	run as_user berth check
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q '^ok    user namespaces  *can be made' <<<"$output"
	grep -qE '^ok    run  *a container ran, best of 3 \([0-9.]+ ms\)$' <<<"$output"
	grep -q '^Configuration: built-in$' <<<"$output"
	grep -qE '^  RunTimeRun  *built-in  .*run --bundle %b' <<<"$output"
	grep -qE '^  Run  .*run --bundle /.*' <<<"$output"
	[ "$(grep -c '^fail' <<<"$output")" = 0 ]
	[ -z "$(find "$BERTH_SPOOL_DIR" -mindepth 1)" ]
	# shellcheck disable=SC2154 # the helper has it
	[ -z "$(find /tmp /var/tmp /dev/shm -maxdepth 1 -name 'berth-check-*' -user "$test_user")" ]
}

@test "the superuser may ask, too" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	BERTH_SPOOL_DIR=$USER_DIR/root-spool BERTH_STATE_DIR=$USER_DIR/root-state run berth check --json
	[ "$status" -eq 0 ]
	[ "$(field user detail)" = "root, uid 0" ]
	[ "$(field run status)" = ok ]
}

@test "--json: every finding, the configuration with origins, the commands as vectors" {
	runc_conf
	run as_user berth check --json --config "$USER_DIR/oci.conf"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.checks | map(select(.status == "ok" or .status == "warn")) == .' <<<"$output")" = true ]
	[ "$(jq -r '.config.source' <<<"$output")" = "$USER_DIR/oci.conf" ]
	[ "$(jq -r '.config.keys.RunTimeRun.origin' <<<"$output")" = "$USER_DIR/oci.conf:6" ]
	[ "$(jq -r '.config.keys.UserEntries | .value + " " + .origin' <<<"$output")" = "true default" ]
	[ "$(jq -r '.config.keys.RunTimeExec.origin' <<<"$output")" = derived ]
	[ "$(jq -r '.config.commands.Run | .[0] + " " + .[3]' <<<"$output")" = "runc run" ]
	[ "$(jq -r '.checks[] | select(.name == "run") | .ms > 0' <<<"$output")" = true ]
	[ "$(jq -r '.checks[] | select(.name == "create and start") | .ms > 0' <<<"$output")" = true ]
	grep -q runc <<<"$(field runtime detail)"
}

@test "no mount namespaces: the sysctl that forbids them is named, and nothing is tried" {
	runc_conf
	run as_user unshare -r sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"' sh \
		berth check --json --config "$USER_DIR/oci.conf"
	[ "$status" -eq 1 ]
	[ "$(field namespaces status)" = fail ]
	grep -q 'sysctl -w user.max_mnt_namespaces=' <<<"$(field namespaces hint)"
	grep -q 'not tried' <<<"$(field run detail)"
}

# as_user_in_namespace CMD...: below a user namespace that maps every id to itself and allows no further ones.
as_user_in_namespace() {
	local go=$USER_DIR/go pid
	rm -f "$go"
	mkfifo "$go"
	# shellcheck disable=SC2016 # expanded inside
	unshare --user sh -c 'read -r _ <"$0"; exec sh -c '"'"'
		echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'"'"' sh "$@"' "$go" \
		setpriv --reuid="$(id -u "$test_user")" --regid="$(id -g "$test_user")" --clear-groups \
		env "HOME=$USER_HOME" "$@" &
	pid=$!
	until [ "$(readlink /proc/$pid/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
	echo "0 0 65536" >/proc/$pid/uid_map
	echo "0 0 65536" >/proc/$pid/gid_map
	echo go >"$go"
	wait $pid
}

@test "no user namespaces for an ordinary user: the sysctl that forbids them is named" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	run as_user_in_namespace berth check --json
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(field 'user namespaces' status)" = fail ]
	grep -q 'No space left on device' <<<"$(field 'user namespaces' detail)"
	grep -q 'sysctl -w user.max_user_namespaces=' <<<"$(field 'user namespaces' hint)"
	[ "$(field oci.conf status)" = fail ]
}

@test "a runtime that is not there" {
	write_conf <<<'RunTimeRun="no-such-runtime run --bundle %b %n.%j"'
	run as_user berth check --json --config "$USER_DIR/oci.conf"
	[ "$status" -eq 1 ]
	[ "$(field runtime status)" = fail ]
	grep -q "RunTimeRun: no program 'no-such-runtime'" <<<"$(field runtime detail)"
	[ "$(field run status)" = fail ]
}

@test "a runtime that does not run anything: its own words" {
	write_conf <<<'RunTimeRun="sh -c '"'echo my very own words >&2; exit 3'"'"'
	run as_user berth check --json --config "$USER_DIR/oci.conf"
	[ "$status" -eq 1 ]
	grep -q 'my very own words' <<<"$(field run detail)"
}

@test "an oci.conf that is wrong: file, line and column" {
	printf '# mine\nRunTimeRun="runc run %%q"\n' | write_conf
	run as_user berth check --json --config "$USER_DIR/oci.conf"
	[ "$status" -eq 1 ]
	[ "$(field oci.conf status)" = fail ]
	grep -q "^$USER_DIR/oci.conf:2:22: " <<<"$(field oci.conf detail)"
	[ "$(jq -r '.config' <<<"$output")" = null ]
}

@test "a spool folder that cannot be used" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	mkdir -p "$USER_DIR/not-mine"
	BERTH_SPOOL_DIR=$USER_DIR/not-mine run as_user berth check --json
	[ "$status" -eq 1 ]
	[ "$(field 'spool folder' status)" = fail ]
	grep -q "$USER_DIR/not-mine" <<<"$(field 'spool folder' detail)"
	grep -q BERTH_SPOOL_DIR <<<"$(field 'spool folder' hint)"
}

@test "crun on a host with both versions of cgroups: its own words, and that runc is used" {
	[ -d /sys/fs/cgroup/unified ] && [ "$(id -u)" -eq 0 ] || skip "host: cgroups are of one version"
	run setpriv --reuid="$test_user" --regid="$test_user" --init-groups env HOME="$USER_HOME" berth check --json
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(field crun status)" = warn ]
	grep -q 'cgroups in hybrid mode not supported' <<<"$(field crun detail)"
	grep -q '^runc is used instead' <<<"$(field crun hint)"
	grep -q hybrid <<<"$(field cgroups detail)"
}

@test "the configurations that ship: each that has its runtime here runs a container" {
	local file
	for file in "$BERTH_STAGE"/share/berth/examples/*.conf; do
		write_conf <"$file"
		run as_user berth check --json --config "$USER_DIR/oci.conf"
		case $file in
		*/apptainer*)
			command -v apptainer >/dev/null && continue
			[ "$status" -eq 1 ]
			[ "$(field run detail)" = "not tried: apptainer is missing" ]
			;;
		*) [ "$status" -eq 0 ] || { echo "$file: $output"; return 1; } ;;
		esac
	done
}

@test "records of jobs that are damaged" {
	mkdir -p "$BERTH_STATE_DIR/jobs/4711"
	echo damaged >"$BERTH_STATE_DIR/jobs/4711/job"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$BERTH_STATE_DIR"
	run as_user berth check --json
	rm -r "$BERTH_STATE_DIR/jobs/4711"
	[ "$status" -eq 0 ]
	[ "$(field jobs status)" = warn ]
	grep -q '1 of them damaged' <<<"$(field jobs detail)"
}

@test "--import says what would change" {
	runc_conf
	run as_user berth check --import "$USER_DIR/oci.conf"
	[ "$status" -eq 0 ]
	[ -n "$output" ]
}

@test "--dump-keys names the keys of oci.conf" {
	run berth check --dump-keys
	grep -qx RunTimeRun <<<"$output"
	grep -qx UserEntries <<<"$output"
}

@test "words that make no sense" {
	run berth check everything
	[ "$status" -eq 2 ]
	run berth check --nonsense
	[ "$status" -eq 2 ]
}
