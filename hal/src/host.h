/* What a plugin gets from the host, and the record of a running call that collects its error text. */
#ifndef HY_HAL_HOST_H
#define HY_HAL_HOST_H

#include "plugin.h"

/* One call into a plugin, on the caller's stack from begin to end. Calls of one thread nest: a completion inside
 * submit() may submit to another queue. */
typedef struct hy_hal__call hy_hal__call;
struct hy_hal__call {
	hy_hal__call *outer;
	bool is_set;
	hy_status status;
	hy_scope scope;
	int32_t native;
	char text[HY_ERROR_TEXT_BYTES];
};

void hy_hal__call_begin(hy_hal__call *call);

/* Ends the call. When status is a failure, writes what the plugin told about it to error, behind "where: what: ", and
 * returns the status, INTERNAL for one that does not exist. DEVICE_LOST reaches at least the device. */
hy_status hy_hal__call_end(hy_hal__call *call, hy_status status, const char *where, const char *what, hy_error *error);

/* Ends the call without a word to anybody. */
void hy_hal__call_drop(hy_hal__call *call);

/* Makes what was said in `call`, on another thread, the words of the call that runs on this one. */
void hy_hal__call_adopt(const hy_hal__call *call);

/* Says why the call that runs on this thread fails, as the plugin could; returns status. */
hy_status hy_hal__call_explain(hy_status status, const char *format, ...) HY_PRINTF(2, 3);

/* Fills the services that plugin receives. */
void hy_hal__host_init(hy_hal__plugin *plugin, int32_t log_level);

#endif
