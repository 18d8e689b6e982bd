# SPDX-License-Identifier: Apache-2.0
# options.awk TABLE PAGE: copies PAGE (scdoc), and puts the options of a command, from what `berth --dump-options`
# printed as TABLE, in place of each line "@options COMMAND".
# A row of TABLE: command, long name, short name, argument, class, help, environment variables; tab between.
function esc(s) { gsub(/[\\*_]/, "\\\\&", s); return s }

# A sentence; a first word with a colon is a value, and stays as it is.
function sentence(s) { return esc(s ~ /^[a-z]+:/ ? s : toupper(substr(s, 1, 1)) substr(s, 2)) "." }

function join(list, item) { return list (list == "" ? "" : ", ") item }

BEGIN { FS = "\t" }

NR == FNR { row[$1, ++n[$1]] = $0; next }

/^@options / {
	command = substr($0, 10)
	if (!n[command]) {
		print "options.awk: no options of '" command "'" >"/dev/stderr"
		exit 1
	}
	recorded = refused = ""
	for (i = 1; i <= n[command]; i++) {
		split(row[command, i], f, "\t")
		if (f[5] == "recorded") {
			recorded = join(recorded, "*--" f[2] "*")
			continue
		}
		if (f[5] == "refused") {
			refused = refused "\n\n*--" f[2] "*\n\t" sentence(f[6])
			continue
		}
		line = (f[3] != "" ? "*-" f[3] "*, " : "") "*--" f[2] "*"
		if (f[4] ~ /^\[[^\]]*\]$/)
			line = line "[=_" esc(substr(f[4], 2, length(f[4]) - 2)) "_]"
		else if (f[4] != "")
			line = line "=_" esc(f[4]) "_"
		text = sentence(f[6])
		if (f[7] != "") {
			gsub(/ /, ", ", f[7])
			text = text " In the environment: " esc(f[7]) "."
		}
		print line "\n\t" text "\n"
	}
	if (recorded != "")
		print "Accepted and recorded, without effect on one machine: " recorded ".\n"
	if (refused != "")
		print "Refused, because ignoring them would change the result:" refused "\n"
	next
}

{ print }
