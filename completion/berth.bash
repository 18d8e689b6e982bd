# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bash completion for berth. The options come from the program's own table, so they are those of the berth in PATH.

_berth_options() {
	if [ -z "${_berth_table:-}" ] || [ "${_berth_table_of:-}" != "$1" ]; then
		_berth_table_of=$1
		_berth_table=$("$1" --dump-options 2>/dev/null)
	fi
	printf '%s\n' "$_berth_table"
}

_berth() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(_berth_options "${COMP_WORDS[0]}" | cut -f 1 | cut -d ' ' -f 1 | sort -u)
	elif [ "$command" = bundle ] && [ "$COMP_CWORD" -eq 2 ]; then
		words="create check"
	elif [[ $cur == -* ]]; then
		[ "$command" != bundle ] || command="bundle ${COMP_WORDS[2]}"
		words=$(_berth_options "${COMP_WORDS[0]}" | awk -F '\t' -v c="$command" '
			$1 == c { sub(/^--/, "", $2); print "--" $2 }')
	else
		case $prev in
		--container | --chdir | -D) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _berth berth
