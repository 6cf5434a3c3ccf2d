# SPDX-License-Identifier: BSD-2-Clause
# C source without its comments, line for line. With -v text=1 also without what stands
# between quotes (the quotes stay), but for the lines of #include.

function strip(line,    out, c, two, quote, i, n) {
	out = ""
	n = length(line)
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		two = substr(line, i, 2)
		if (comment) {
			if (two == "*/") {
				comment = 0
				i++
			}
		} else if (quote != "") {
			if (!text)
				out = out c
			if (c == "\\") {
				i++
				if (!text)
					out = out substr(line, i, 1)
			} else if (c == quote) {
				quote = ""
				if (text)
					out = out c
			}
		} else if (two == "/*") {
			comment = 1
			i++
		} else if (two == "//") {
			break
		} else {
			if (c == "\"" || c == "'")
				quote = c
			out = out c
		}
	}
	return out
}

FNR == 1 { comment = 0 }
{
	keep = text
	if (!comment && /^[ \t]*#[ \t]*include/)
		text = 0
	print strip($0)
	text = keep
}
