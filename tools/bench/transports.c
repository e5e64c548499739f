/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The list of transports, in the order of the table. */
#include <linux/ipcbox.h>

#include "bench.h"
#include "transports/transports.h"

const struct transport *const transports[] = {
	&transport_ipcbox,
	&transport_ipcbox_file,
	&transport_ipcbox_call,
#ifdef IPCBOX_FEATURE_SPIN
	&transport_ipcbox_call_spin,
#endif
#ifdef HAVE_CHANNEL
	&transport_channel,
#endif
#ifdef HAVE_POOL
	&transport_pool,
#endif
#ifdef HAVE_REGION
	&transport_region,
	&transport_region_kept,
	&transport_region_fresh,
	&transport_region_huge,
	&transport_region_huge_fresh,
#endif
	&transport_mq_preload,
	&transport_sysv_preload,
	&transport_pipe,
	&transport_stream,
	&transport_seqpacket,
	&transport_datagram,
	&transport_memfd,
	&transport_memfd_kept,
	&transport_memfd_fresh,
	&transport_mq,
	&transport_sysv,
	&transport_eventfd,
	&transport_futex,
#ifdef HAVE_ZMQ
	&transport_zmq,
#endif
#ifdef HAVE_NNG
	&transport_nng,
#endif
#ifdef HAVE_DBUS
	&transport_dbus,
#endif
	NULL,
};
