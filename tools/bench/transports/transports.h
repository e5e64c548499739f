/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Every transport; each is in the file of its name, the sockets in unix.c. */
#ifndef TRANSPORTS_H
#define TRANSPORTS_H

#include "../bench.h"

extern const struct transport transport_ipcbox;
extern const struct transport transport_ipcbox_file;
extern const struct transport transport_ipcbox_call;
extern const struct transport transport_channel;
extern const struct transport transport_pool;
extern const struct transport transport_region;
extern const struct transport transport_region_kept;
extern const struct transport transport_region_fresh;
extern const struct transport transport_region_huge;
extern const struct transport transport_region_huge_fresh;
extern const struct transport transport_ipcbox_call_spin;
extern const struct transport transport_pipe;
extern const struct transport transport_stream;
extern const struct transport transport_seqpacket;
extern const struct transport transport_datagram;
extern const struct transport transport_memfd;
extern const struct transport transport_memfd_kept;
extern const struct transport transport_memfd_fresh;
extern const struct transport transport_mq;
extern const struct transport transport_sysv;
extern const struct transport transport_mq_preload;
extern const struct transport transport_sysv_preload;
extern const struct transport transport_eventfd;
extern const struct transport transport_futex;
extern const struct transport transport_zmq;
extern const struct transport transport_nng;
extern const struct transport transport_dbus;

#endif /* TRANSPORTS_H */
