/* How the supervisor and a worker talk.
 *
 * The worker reads case ids, a line each, from descriptor WORKER_ORDERS, and answers each with one worker_answer and
 * its text on WORKER_ANSWERS. Standard output and error are the plugin's to break rule P7 with. */
#ifndef HY_CONFORM_PRIVATE_WORKER_H
#define HY_CONFORM_PRIVATE_WORKER_H

#include <stdint.h>

enum { WORKER_ORDERS = 3, WORKER_ANSWERS = 4, WORKER_TEXT_MAX = 4096 };

typedef struct worker_answer {
	uint32_t magic, status;
	uint64_t time_ns;
	uint32_t text_length, reserved;
} worker_answer;

#define WORKER_MAGIC 0x4e464359u

/* arguments: plugin, device, options, seed. */
int conform__worker_main(int argc, char **argv);

#endif
