/* The functions of FMI 2.0 for co-simulation. Types are those of the standard's headers, written out. */
#include "instance.h"

typedef int Boolean;
typedef const char *String;
typedef const unsigned int *References;

static const int UNSUPPORTED = STATUS_ERROR;

FMI_EXPORT String fmi2GetTypesPlatform(void) { return "default"; }
FMI_EXPORT String fmi2GetVersion(void) { return "2.0"; }

FMI_EXPORT int fmi2SetDebugLogging(void *c, Boolean on, size_t count, const String categories[])
{
    (void)c, (void)on, (void)count, (void)categories;
    return STATUS_OK;
}

FMI_EXPORT void *fmi2Instantiate(
    String name, int type, String token, String place, const void *functions, Boolean visible, Boolean logging)
{
    (void)name, (void)place, (void)functions, (void)visible, (void)logging;
    /* 1 is co-simulation. */
    return type == 1 ? instance_new(token) : NULL;
}

FMI_EXPORT void fmi2FreeInstance(void *c) { free(c); }

FMI_EXPORT int fmi2SetupExperiment(
    void *c, Boolean has_tolerance, double tolerance, double start, Boolean has_stop, double stop)
{
    (void)has_tolerance, (void)tolerance, (void)has_stop, (void)stop;
    instance_begin(c, start);
    return STATUS_OK;
}

FMI_EXPORT int fmi2EnterInitializationMode(void *c)
{
    (void)c;
    return STATUS_OK;
}

FMI_EXPORT int fmi2ExitInitializationMode(void *c)
{
    ((Instance *)c)->running = 1;
    return STATUS_OK;
}

FMI_EXPORT int fmi2Terminate(void *c)
{
    (void)c;
    return STATUS_OK;
}

FMI_EXPORT int fmi2Reset(void *c)
{
    instance_reset(c);
    return STATUS_OK;
}

FMI_EXPORT int fmi2GetReal(void *c, References vr, size_t count, double value[])
{
    return instance_get(c, vr, count, value);
}

FMI_EXPORT int fmi2SetReal(void *c, References vr, size_t count, const double value[])
{
    return instance_set(c, vr, count, value);
}

/* There are no variables of other types: only nothing can be read or set. */
#define NONE(function, type)                                              \
    FMI_EXPORT int function(void *c, References vr, size_t count, type v) \
    {                                                                     \
        (void)c, (void)vr, (void)v;                                       \
        return count == 0 ? STATUS_OK : UNSUPPORTED;                      \
    }
NONE(fmi2GetInteger, int *)
NONE(fmi2GetBoolean, Boolean *)
NONE(fmi2GetString, String *)
NONE(fmi2SetInteger, const int *)
NONE(fmi2SetBoolean, const Boolean *)
NONE(fmi2SetString, const String *)

FMI_EXPORT int fmi2GetFMUstate(void *c, void **state) { return instance_keep(c, state); }

FMI_EXPORT int fmi2SetFMUstate(void *c, void *state)
{
    memcpy(c, state, sizeof(Instance));
    return STATUS_OK;
}

FMI_EXPORT int fmi2FreeFMUstate(void *c, void **state)
{
    (void)c;
    free(*state);
    *state = NULL;
    return STATUS_OK;
}

FMI_EXPORT int fmi2SerializedFMUstateSize(void *c, void *state, size_t *size)
{
    (void)c, (void)state, (void)size;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2SerializeFMUstate(void *c, void *state, char bytes[], size_t size)
{
    (void)c, (void)state, (void)bytes, (void)size;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2DeSerializeFMUstate(void *c, const char bytes[], size_t size, void **state)
{
    (void)c, (void)bytes, (void)size, (void)state;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2GetDirectionalDerivative(
    void *c, References unknown, size_t unknowns, References known, size_t knowns, const double along[], double d[])
{
    (void)c, (void)unknown, (void)unknowns, (void)known, (void)knowns, (void)along, (void)d;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2SetRealInputDerivatives(
    void *c, References vr, size_t count, const int order[], const double value[])
{
    (void)c, (void)vr, (void)count, (void)order, (void)value;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2GetRealOutputDerivatives(void *c, References vr, size_t count, const int order[], double value[])
{
    (void)c, (void)vr, (void)count, (void)order, (void)value;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi2DoStep(void *c, double now, double step, Boolean no_earlier)
{
    (void)no_earlier;
    return instance_step(c, now, step);
}

FMI_EXPORT int fmi2CancelStep(void *c)
{
    (void)c;
    return UNSUPPORTED;
}

#define STATUS(function, type)                      \
    FMI_EXPORT int function(void *c, int s, type v) \
    {                                               \
        (void)c, (void)s, (void)v;                  \
        return STATUS_DISCARD;                      \
    }
STATUS(fmi2GetStatus, int *)
STATUS(fmi2GetRealStatus, double *)
STATUS(fmi2GetIntegerStatus, int *)
STATUS(fmi2GetBooleanStatus, Boolean *)
STATUS(fmi2GetStringStatus, String *)
