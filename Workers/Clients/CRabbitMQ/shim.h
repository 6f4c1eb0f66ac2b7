#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#endif

#define CAPABILITY(name) {{sizeof(name) - 1, (void *)(name)}, {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}}

/* amqp_login_with_properties is variadic, which Swift does not import. The library announces two capabilities of
   its own; without the others no basic.cancel and no connection.blocked would ever arrive. */
static inline amqp_rpc_reply_t broker_login(
    amqp_connection_state_t connection, const char *virtual_host, int frame_max, int heartbeat, const char *name,
    const char *user, const char *password) {
  amqp_table_entry_t capabilities[] = {
      CAPABILITY("consumer_cancel_notify"), CAPABILITY("connection.blocked"),
      CAPABILITY("publisher_confirms"), CAPABILITY("basic.nack"),
      CAPABILITY("authentication_failure_close"), CAPABILITY("exchange_exchange_bindings")};
  amqp_table_entry_t properties[2] = {
      {amqp_cstring_bytes("connection_name"), {AMQP_FIELD_KIND_UTF8, {.bytes = amqp_cstring_bytes(name)}}},
      {amqp_cstring_bytes("capabilities"),
       {AMQP_FIELD_KIND_TABLE, {.table = {sizeof(capabilities) / sizeof(capabilities[0]), capabilities}}}}};
  amqp_table_t table = {2, properties};
  return amqp_login_with_properties(
      connection, virtual_host, 0, frame_max, heartbeat, &table, AMQP_SASL_METHOD_PLAIN, user, password);
}

#undef CAPABILITY
