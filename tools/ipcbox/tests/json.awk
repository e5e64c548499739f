# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# Reads JSON values, one after the other, and exits with 1 where the input has
# something else, or nothing at all.

{
	text = text $0 "\n"
}

END {
	skip_space()
	if (text == "")
		exit 1
	while (text != "") {
		value()
		skip_space()
	}
}

function skip_space() {
	sub(/^[ \t\r\n]+/, "", text)
}

# Take what matches the pattern off the text, or give up.
function take(pattern) {
	if (!match(text, pattern) || RSTART != 1) {
		print "# no JSON at: " substr(text, 1, 60)
		exit 1
	}
	text = substr(text, RLENGTH + 1)
}

function next_is(character) {
	skip_space()
	return substr(text, 1, 1) == character
}

function string() {
	take("^\"([^\"\\\\\001-\037]|\\\\[\"\\\\/bfnrtu])*\"")
}

function value() {
	if (next_is("{"))
		members("{", "}")
	else if (next_is("["))
		members("[", "]")
	else if (next_is("\""))
		string()
	else
		take("^(true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)")
}

function members(open, close_) {
	text = substr(text, 2)
	if (next_is(close_)) {
		text = substr(text, 2)
		return
	}
	for (;;) {
		skip_space()
		if (open == "{") {
			string()
			skip_space()
			take("^:")
		}
		value()
		if (next_is(close_))
			break
		take("^,")
	}
	text = substr(text, 2)
}
