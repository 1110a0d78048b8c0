#pragma once
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <amqp_ssl_socket.h>

// `amqp_login_with_properties` is variadic, which Swift cannot call; this is its PLAIN form.
static inline amqp_rpc_reply_t atelier_amqp_login_plain(
    amqp_connection_state_t state, const char *vhost, int frame_max, int heartbeat,
    const amqp_table_t *properties, const char *user, const char *password) {
  return amqp_login_with_properties(state, vhost, 0, frame_max, heartbeat, properties,
                                    AMQP_SASL_METHOD_PLAIN, user, password);
}

// What the Glibc module leaves out: a descriptor that wakes a thread waiting in poll().
#include <sys/eventfd.h>

// `ioctl` is variadic: how many bytes of a socket the peer has not taken.
#include <linux/sockios.h>
#include <sys/ioctl.h>
static inline int atelier_unsent_bytes(int descriptor) {
  int bytes = 0;
  return ioctl(descriptor, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}
