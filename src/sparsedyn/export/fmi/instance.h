/*
 * What FMI 2.0 and 3.0 have in common: an instance of the model, its values by reference, and its steps.
 * Value references: 0 is time, then states, inputs and outputs in their order.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fmu.h"

#if defined(_WIN32)
#define FMI_EXPORT __declspec(dllexport)
#else
#define FMI_EXPORT __attribute__((visibility("default")))
#endif

enum { STATUS_OK, STATUS_WARNING, STATUS_DISCARD, STATUS_ERROR, STATUS_FATAL };

/* Values are in the order of their references. */
typedef struct {
    double values[1 + FMU_STATES + FMU_INPUTS + FMU_OUTPUTS];
    double start;
    long row;
    int running;
} Instance;

static double *instance_x(Instance *instance) { return instance->values + 1; }

static double *instance_u(Instance *instance) { return instance->values + 1 + FMU_STATES; }

static void instance_reset(Instance *instance)
{
    static const double given[] = {FMU_GIVEN};
    memset(instance, 0, sizeof *instance);
    memcpy(instance_x(instance), given, sizeof given);
}

static Instance *instance_new(const char *token)
{
    Instance *instance;
    if (token == NULL || strcmp(token, FMU_TOKEN) != 0) {
        return NULL;
    }
    instance = malloc(sizeof *instance);
    if (instance != NULL) {
        instance_reset(instance);
    }
    return instance;
}

static void instance_begin(Instance *instance, double start)
{
    instance->values[0] = instance->start = start;
    instance->row = 0;
}

static int instance_get(Instance *instance, const unsigned int *references, size_t count, double *values)
{
    size_t i;
    FMU_OUTPUT(instance_x(instance), instance_u(instance), instance_u(instance) + FMU_INPUTS);
    for (i = 0; i < count; ++i) {
        if (references[i] > FMU_STATES + FMU_INPUTS + FMU_OUTPUTS) {
            return STATUS_ERROR;
        }
        values[i] = instance->values[references[i]];
    }
    return STATUS_OK;
}

/* Inputs may be set at any time, states until the simulation runs; what a function is evaluated at are inputs. */
static int instance_set(Instance *instance, const unsigned int *references, size_t count, const double *values)
{
    const unsigned int first = instance->running && !FMU_FUNCTION ? 1 + FMU_STATES : 1;
    size_t i;
    for (i = 0; i < count; ++i) {
        if (references[i] < first || references[i] > FMU_STATES + FMU_INPUTS) {
            return STATUS_ERROR;
        }
        instance->values[references[i]] = values[i];
    }
    return STATUS_OK;
}

/* The model steps by rows: states are those of the last row that lies within the communication step. */
static int instance_step(Instance *instance, double now, double step)
{
    long rows = (long)floor((now + step - instance->start) / FMU_DT + 1e-6);
    int i;
    for (; instance->row < rows; ++instance->row) {
        FMU_STEP(instance_x(instance), instance_u(instance));
        for (i = 1; i <= FMU_STATES; ++i) {
            if (!isfinite(instance->values[i])) {
                return STATUS_ERROR;
            }
        }
    }
    instance->values[0] = now + step;
    return STATUS_OK;
}

static int instance_keep(const Instance *instance, void **kept)
{
    if (*kept == NULL) {
        *kept = malloc(sizeof *instance);
    }
    if (*kept == NULL) {
        return STATUS_ERROR;
    }
    memcpy(*kept, instance, sizeof *instance);
    return STATUS_OK;
}

#endif /* INSTANCE_H */
