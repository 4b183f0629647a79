/* Open handles in a balanced tree by address. */
#include "handles.h"

#include <search.h>
#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const hy_hal__handle *)a)->handle;
	const uintptr_t right = (uintptr_t)((const hy_hal__handle *)b)->handle;
	return left < right ? -1 : left > right;
}

void hy_hal__handles_init(hy_hal__handles *handles)
{
	pthread_mutex_init(&handles->lock, NULL);
	handles->tree = NULL;
}

void hy_hal__handles_finish(hy_hal__handles *handles)
{
	tdestroy(handles->tree, free);
	handles->tree = NULL;
	pthread_mutex_destroy(&handles->lock);
}

bool hy_hal__handles_add(hy_hal__handles *handles, const hy_hal__handle *handle)
{
	hy_hal__handle *own = malloc(sizeof(*own));
	if (own == NULL) return false;
	*own = *handle;
	pthread_mutex_lock(&handles->lock);
	hy_hal__handle **node = tsearch(own, &handles->tree, by_address);
	const bool is_new = node != NULL && *node == own;
	pthread_mutex_unlock(&handles->lock);
	if (!is_new) free(own);
	return is_new;
}

static bool look(hy_hal__handles *handles, const void *handle, hy_hal__handle_kind kind, bool remove,
                 hy_hal__handle *out_handle)
{
	const hy_hal__handle key = {.handle = handle};
	hy_hal__handle *own = NULL;
	pthread_mutex_lock(&handles->lock);
	hy_hal__handle **node = tfind(&key, &handles->tree, by_address);
	if (node != NULL && (*node)->kind == kind) {
		own = *node;
		*out_handle = *own;
		if (remove) tdelete(&key, &handles->tree, by_address);
	}
	pthread_mutex_unlock(&handles->lock);
	if (remove) free(own);
	return own != NULL;
}

bool hy_hal__handles_find(hy_hal__handles *handles, const void *handle, hy_hal__handle_kind kind,
                          hy_hal__handle *out_handle)
{
	return look(handles, handle, kind, false, out_handle);
}

bool hy_hal__handles_remove(hy_hal__handles *handles, const void *handle, hy_hal__handle_kind kind,
                            hy_hal__handle *out_handle)
{
	return look(handles, handle, kind, true, out_handle);
}

typedef struct tally {
	const void *device;
	uint32_t count;
} tally;

static void count_one(const void *node, VISIT visit, void *payload)
{
	const hy_hal__handle *handle = *(hy_hal__handle *const *)node;
	tally *t = payload;
	if ((visit == postorder || visit == leaf) && handle->device == t->device && handle->handle != t->device)
		t->count++;
}

uint32_t hy_hal__handles_count_of(hy_hal__handles *handles, const void *device)
{
	tally t = {.device = device};
	pthread_mutex_lock(&handles->lock);
	twalk_r(handles->tree, count_one, &t);
	pthread_mutex_unlock(&handles->lock);
	return t.count;
}
