/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "format/format.h"

#define CHUNK	     65536
#define GZIP_OR_NONE (15 + 16) /* windowBits: 32 KiB window, gzip header */

struct source {
	int fd;
	const char *name;
	bool gzip;
	bool in_member; /* a gzip member has begun and not ended */
	bool fd_eof;
	z_stream z;	 /* gzip: next_in, avail_in are the bytes of in[] not used yet */
	uint64_t packed; /* bytes read from fd */
	uint64_t out_total;
	size_t pos, len; /* out[pos..len) is not taken yet */
	unsigned char in[CHUNK];
	unsigned char out[CHUNK];
};

uint64_t source_offset(const struct source *s)
{
	return s->out_total - (s->len - s->pos);
}

const char *source_name(const struct source *s)
{
	return s->name;
}

/* in[] full of the file's next bytes, or as many as there are; none left sets fd_eof. */
static int fill_in(struct source *s)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n && len < sizeof(s->in)) {
		n = read(s->fd, s->in + len, sizeof(s->in) - len);
		if (n < 0 && errno != EINTR)
			return fail(-errno, "read %s", s->name);
		len += n > 0 ? (size_t)n : 0;
	}
	s->fd_eof = len == 0;
	s->packed += len;
	if (s->packed > FORMAT_MAX_PACKED)
		return fail_plain(-EFBIG, "%s: larger than the limit of %llu MiB", s->name,
				  FORMAT_MAX_PACKED >> 20);
	s->z.next_in = s->in;
	s->z.avail_in = (uInt)len;
	return 0;
}

static int truncated(const struct source *s, const char *why)
{
	char n[32];

	return fail_plain(-ENODATA, "%s: truncated after %s bytes (%s); nothing was read", s->name,
			  group_digits(n, (int64_t)s->packed), why);
}

static int inflate_error(const struct source *s, int ret)
{
	return fail_plain(-EBADMSG, "%s: damaged gzip data before byte %llu (%s); nothing was read",
			  s->name, (unsigned long long)(s->packed - s->z.avail_in + 1),
			  s->z.msg ? s->z.msg : zError(ret));
}

/* One step of inflate: some output, or more input wanted, or a member's end. */
static int inflate_step(struct source *s)
{
	int ret;

	if (!s->in_member && inflateReset(&s->z) != Z_OK)
		return fail_plain(-ENOMEM, "%s: zlib cannot start", s->name);
	s->in_member = true;
	s->z.next_out = s->out;
	s->z.avail_out = sizeof(s->out);
	ret = inflate(&s->z, Z_NO_FLUSH);
	if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
		return inflate_error(s, ret);
	s->in_member = ret != Z_STREAM_END;
	s->pos = 0;
	s->len = sizeof(s->out) - s->z.avail_out;
	return 0;
}

static int fill_gzip(struct source *s)
{
	int err = 0;

	while (!err && s->len == s->pos) {
		if (!s->z.avail_in && !s->fd_eof)
			err = fill_in(s);
		if (!err && s->fd_eof)
			return s->in_member ? truncated(s, "gzip stream ends early") : 0;
		if (!err)
			err = inflate_step(s);
	}
	return err;
}

static int fill_plain(struct source *s)
{
	int err = 0;

	if (!s->z.avail_in && !s->fd_eof)
		err = fill_in(s);
	if (err || s->fd_eof)
		return err;
	memcpy(s->out, s->z.next_in, s->z.avail_in);
	s->pos = 0;
	s->len = s->z.avail_in;
	s->z.avail_in = 0;
	return 0;
}

/* More bytes to out[], which is empty; none come at the end. */
static int fill(struct source *s)
{
	int err = s->gzip ? fill_gzip(s) : fill_plain(s);

	if (err)
		return err;
	s->out_total += s->len - s->pos;
	if (s->out_total > FORMAT_MAX_INFLATED)
		return fail_plain(-EFBIG, "%s: unpacks to more than the limit of %llu MiB", s->name,
				  FORMAT_MAX_INFLATED >> 20);
	return 0;
}

int source_new(struct source **out, int fd, const char *name)
{
	struct source *s = xcalloc(1, sizeof(*s));
	int err;

	s->fd = fd;
	s->name = name;
	err = fill_in(s);
	if (!err && s->fd_eof)
		err = fail_plain(-ENODATA, "%s: the file is empty", name);
	/* no pprof begins so: 0x1f is field 3 with wire type 7, which there is not */
	s->gzip = !err && s->z.avail_in >= 2 && s->in[0] == 0x1f && s->in[1] == 0x8b;
	if (s->gzip && inflateInit2(&s->z, GZIP_OR_NONE) != Z_OK) {
		s->gzip = false;
		err = fail_plain(-ENOMEM, "%s: zlib cannot start", name);
	}
	s->in_member = s->gzip;
	if (err) {
		source_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->gzip)
		inflateEnd(&s->z);
	free(s);
}

int source_at_end(struct source *s)
{
	int err = s->pos == s->len ? fill(s) : 0;

	return err ? err : s->pos == s->len;
}

int source_read(struct source *s, void *p, size_t len)
{
	while (len) {
		size_t n = s->len - s->pos;
		int end;

		if (n > len)
			n = len;
		if (p) {
			memcpy(p, s->out + s->pos, n);
			p = (char *)p + n;
		}
		s->pos += n;
		len -= n;
		end = len ? source_at_end(s) : 0;
		if (end < 0)
			return end;
		if (end)
			return truncated(s, "a field ends early");
	}
	return 0;
}

int source_skip(struct source *s, uint64_t len)
{
	/* the stream's own limit comes long before this one */
	return source_read(s, NULL, len < FORMAT_MAX_INFLATED ? len : FORMAT_MAX_INFLATED);
}

int source_varint(struct source *s, uint64_t *value)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 70; shift += 7) {
		unsigned char c;
		int err = source_read(s, &c, 1);

		if (err)
			return err;
		if (shift == 63 && c > 1) /* more than 64 bits */
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*value = v;
			return 0;
		}
	}
	return fail_plain(-EBADMSG, "%s: not a pprof profile (no number at byte %llu)", s->name,
			  (unsigned long long)source_offset(s));
}
