/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/self.h"

#define FIRST  1
#define WRITER (WIRE_MAX_SELF - 1)
/* who ended stays for the drain that is under way and for one more, which may bring its last switch */
#define DRAINS 2

void self_open(struct self *s, volatile uint32_t *tgid, pid_t own)
{
	*s = (struct self){ .tgid = tgid };
	tgid[0] = (uint32_t)own;
}

/* A free place; else, where more die than are forgotten, of one that is gone; else the next in turn. */
static uint32_t place_for_one(struct self *s)
{
	uint32_t i, gone = 0;

	for (i = FIRST; i < WRITER; i++) {
		if (!s->tgid[i])
			return i;
		if (s->drains[i] && !gone)
			gone = i;
	}
	return gone ? gone : FIRST + s->turn++ % (WRITER - FIRST);
}

void self_add(struct self *s, pid_t pid)
{
	uint32_t i = place_for_one(s);

	s->tgid[i] = (uint32_t)pid;
	s->drains[i] = 0;
}

void self_ended(struct self *s, pid_t pid)
{
	uint32_t i;

	for (i = FIRST; i < WRITER; i++)
		if (s->tgid[i] == (uint32_t)pid)
			s->drains[i] = DRAINS;
}

void self_writer(struct self *s, pid_t pid)
{
	s->tgid[WRITER] = (uint32_t)pid;
}

void self_drained(struct self *s)
{
	uint32_t i;

	for (i = FIRST; i < WRITER; i++)
		if (s->drains[i] && !--s->drains[i])
			s->tgid[i] = 0;
}
