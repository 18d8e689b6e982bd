#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The option tables are the truth: the man pages and --help must say the same.

setup() {
	top=$BATS_TEST_DIRNAME/../..
	: "${BERTH_STAGE:=$top/build/stage}"
	PATH=$BERTH_STAGE/bin:$PATH
	dump=$BATS_TEST_TMPDIR/dump
	berth --dump-options >"$dump"
}

# documented PAGE: "heading<TAB>option" for each option that stands in bold below a heading of that page's source.
documented() {
	awk -v OFS='\t' '
		/^#/ { heading = $0; sub(/^#+ */, "", heading) }
		{
			rest = $0
			while (match(rest, /\*--[A-Za-z][A-Za-z0-9-]*/)) {
				print heading, substr(rest, RSTART + 3, RLENGTH - 3)
				rest = substr(rest, RSTART + RLENGTH)
			}
		}
	' "$1" | sort -u
}

@test "berth(1) has every option of every command, and no other" {
	# What the page says in its own words about berth itself is not in the table.
	documented "${BERTH_BUILD:-$top/build}/doc/man/berth.1.scd" | grep -v -e ^SYNOPSIS -e ^DESCRIPTION |
		sort -u >"$BATS_TEST_TMPDIR/documented"
	cut -f 1,2 "$dump" | sort -u >"$BATS_TEST_TMPDIR/table"
	[ -s "$BATS_TEST_TMPDIR/table" ]
	# A section may mention another command's option.
	comm -13 "$BATS_TEST_TMPDIR/documented" "$BATS_TEST_TMPDIR/table" >"$BATS_TEST_TMPDIR/missing"
	cut -f 2 "$BATS_TEST_TMPDIR/documented" | sort -u |
		comm -23 - <(cut -f 2 "$BATS_TEST_TMPDIR/table" | sort -u) >"$BATS_TEST_TMPDIR/unknown"
	head "$BATS_TEST_TMPDIR/missing" "$BATS_TEST_TMPDIR/unknown"
	[ ! -s "$BATS_TEST_TMPDIR/missing" ] && [ ! -s "$BATS_TEST_TMPDIR/unknown" ]
}

@test "--help of each command names every option of it" {
	local command long
	while IFS=$'\t' read -r command long; do
		# shellcheck disable=SC2086 # "bundle create" is two words
		berth $command --help | grep -qE -e "--${long#--}([^a-z-]|\$)" ||
			{ echo "berth $command --help lacks --${long#--}"; return 1; }
	done < <(awk -F '\t' -v OFS='\t' '$5 != "refused" { print $1, $2 }' "$dump")
}

@test "berth-task(8) has the options that berth-task has, and no others" {
	"$BERTH_STAGE/libexec/berth/berth-task" --dump-options |
		cut -f 2 | sed 's/^--//' | sort -u >"$BATS_TEST_TMPDIR/a"
	documented "$top/doc/man/berth-task.8.scd" | grep ^OPTIONS | cut -f 2 | sort -u >"$BATS_TEST_TMPDIR/b"
	[ -s "$BATS_TEST_TMPDIR/a" ]
	diff "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "the shell completes commands and options" {
	run bash -c '
		. "$1/share/bash-completion/completions/berth"
		COMP_WORDS=(berth sr) COMP_CWORD=1; _berth; echo "${COMPREPLY[@]}"
		COMP_WORDS=(berth srun --conta) COMP_CWORD=2; _berth; echo "${COMPREPLY[@]}"
	' bash "$BERTH_STAGE"
	[ "${lines[0]}" = srun ]
	[[ " ${lines[1]} " == *" --container "* ]]
}
