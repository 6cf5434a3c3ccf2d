#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tags: account
# The ledger closes, whatever goes wrong: buffers too small, and a reader that stands still.
# shellcheck source=tests/live/tap
. "$(dirname "$0")/tap"

only_ring_full() {
	holds "$1" '.ledger.lost | ."ring-full" > 0 and ([.[]] | add) == ."ring-full"'
}

spawn "$FIXTURES/deep" 240
spawn "$FIXTURES/deep" 240

record tiny -F 999 -d 2 --buffer 4
claim 'tiny buffers: record ends well' equal $? 0
read_profile 'tiny buffers' tiny
claim 'tiny buffers: what is lost is lost for that, and said' only_ring_full tiny
claim 'tiny buffers: the loss is in the text too' has 'lost by cause: [0-9,]+ ring-full' stderr

start stopped -F 999 --buffer 4
kill -STOP "$sampler"
sleep 2
kill -CONT "$sampler"
sleep 0.3
stop INT
claim 'a stopped reader: record ends well' equal $? 0
read_profile 'a stopped reader' stopped
claim 'a stopped reader: what is lost is lost for that' only_ring_full stopped
