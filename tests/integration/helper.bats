#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

@test "the ordinary user is one" {
	run as_user id -un
	[ "$output" = "$test_user" ]
	[ "$test_user" != root ] || skip "tests run as the superuser alone"
}

@test "a bundle made by hand runs in a runtime by hand, as the ordinary user" {
	local tried=0
	make_bundle "$USER_DIR/bundle"
	for rt in crun runc; do
		command -v $rt >/dev/null || continue
		tried=1
		jq '.process.args = ["sh", "-c", "grep PRETTY /etc/os-release; hostname; exit 7"]' \
			"$USER_DIR/bundle/config.json" >"$USER_DIR/c.json"
		cat "$USER_DIR/c.json" >"$USER_DIR/bundle/config.json"
		run as_user $rt --root "$USER_DIR/home/rt" run -b "$USER_DIR/bundle" "c-$rt"
		[ "$status" -eq 7 ]
		[ "${lines[0]}" = 'PRETTY_NAME="Berth Test Linux"' ]
		[ "${lines[1]}" = berth-test ]
	done
	[ $tried = 1 ]
}
