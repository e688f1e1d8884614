/* The functions of FMI 3.0 for co-simulation. Types are those of the standard's headers, written out. */
#include <stdbool.h>
#include <stdint.h>

#include "instance.h"

typedef const char *String;
typedef const uint32_t *References;

static const int UNSUPPORTED = STATUS_ERROR;

FMI_EXPORT String fmi3GetVersion(void) { return "3.0"; }

FMI_EXPORT int fmi3SetDebugLogging(void *c, bool on, size_t count, const String categories[])
{
    (void)c, (void)on, (void)count, (void)categories;
    return STATUS_OK;
}

FMI_EXPORT void *fmi3InstantiateCoSimulation(
    String name, String token, String place, bool visible, bool logging, bool events, bool early, References vr,
    size_t count, void *environment, void (*log)(void), void (*update)(void))
{
    (void)name, (void)place, (void)visible, (void)logging, (void)early, (void)vr, (void)count;
    (void)environment, (void)log, (void)update;
    return events ? NULL : instance_new(token);
}

FMI_EXPORT void *fmi3InstantiateModelExchange(
    String name, String token, String place, bool visible, bool logging, void *environment, void (*log)(void))
{
    (void)name, (void)token, (void)place, (void)visible, (void)logging, (void)environment, (void)log;
    return NULL;
}

FMI_EXPORT void *fmi3InstantiateScheduledExecution(
    String name, String token, String place, bool visible, bool logging, void *environment, void (*log)(void),
    void (*update)(void), void (*lock)(void), void (*unlock)(void))
{
    (void)name, (void)token, (void)place, (void)visible, (void)logging, (void)environment, (void)log;
    (void)update, (void)lock, (void)unlock;
    return NULL;
}

FMI_EXPORT void fmi3FreeInstance(void *c) { free(c); }

FMI_EXPORT int fmi3EnterInitializationMode(
    void *c, bool has_tolerance, double tolerance, double start, bool has_stop, double stop)
{
    (void)has_tolerance, (void)tolerance, (void)has_stop, (void)stop;
    instance_begin(c, start);
    return STATUS_OK;
}

FMI_EXPORT int fmi3ExitInitializationMode(void *c)
{
    ((Instance *)c)->running = 1;
    return STATUS_OK;
}

FMI_EXPORT int fmi3Terminate(void *c)
{
    (void)c;
    return STATUS_OK;
}

FMI_EXPORT int fmi3Reset(void *c)
{
    instance_reset(c);
    return STATUS_OK;
}

FMI_EXPORT int fmi3GetFloat64(void *c, References vr, size_t count, double values[], size_t size)
{
    return size == count ? instance_get(c, vr, count, values) : STATUS_ERROR;
}

FMI_EXPORT int fmi3SetFloat64(void *c, References vr, size_t count, const double values[], size_t size)
{
    return size == count ? instance_set(c, vr, count, values) : STATUS_ERROR;
}

/* There are no variables of other types: only nothing can be read or set. */
#define NONE(kind, type)                                                                              \
    FMI_EXPORT int fmi3Get##kind(void *c, References vr, size_t count, type values[], size_t size)    \
    {                                                                                                 \
        (void)c, (void)vr, (void)values, (void)size;                                                  \
        return count == 0 ? STATUS_OK : UNSUPPORTED;                                                  \
    }                                                                                                 \
    FMI_EXPORT int fmi3Set##kind(void *c, References vr, size_t count, const type values[], size_t size) \
    {                                                                                                 \
        (void)c, (void)vr, (void)values, (void)size;                                                  \
        return count == 0 ? STATUS_OK : UNSUPPORTED;                                                  \
    }
NONE(Float32, float)
NONE(Int8, int8_t)
NONE(UInt8, uint8_t)
NONE(Int16, int16_t)
NONE(UInt16, uint16_t)
NONE(Int32, int32_t)
NONE(UInt32, uint32_t)
NONE(Int64, int64_t)
NONE(UInt64, uint64_t)
NONE(Boolean, bool)
NONE(String, String)

FMI_EXPORT int fmi3GetFMUState(void *c, void **state) { return instance_keep(c, state); }

FMI_EXPORT int fmi3SetFMUState(void *c, void *state)
{
    memcpy(c, state, sizeof(Instance));
    return STATUS_OK;
}

FMI_EXPORT int fmi3FreeFMUState(void *c, void **state)
{
    (void)c;
    free(*state);
    *state = NULL;
    return STATUS_OK;
}

FMI_EXPORT int fmi3EnterStepMode(void *c)
{
    (void)c;
    return UNSUPPORTED;
}

FMI_EXPORT int fmi3DoStep(
    void *c, double now, double step, bool no_earlier, bool *events, bool *terminate, bool *early, double *reached)
{
    int status = instance_step(c, now, step);
    (void)no_earlier;
    *events = *terminate = *early = false;
    *reached = ((Instance *)c)->values[0];
    return status;
}

/* Of what the standard has beyond these, the description says that it is not there. It has to be found all the same;
 * whatever the arguments, nothing is done. */
#define ABSENT(name)                \
    FMI_EXPORT int fmi3##name(void) \
    {                               \
        return UNSUPPORTED;         \
    }
ABSENT(EnterEventMode)
ABSENT(GetBinary)
ABSENT(SetBinary)
ABSENT(GetClock)
ABSENT(SetClock)
ABSENT(GetNumberOfVariableDependencies)
ABSENT(GetVariableDependencies)
ABSENT(SerializedFMUStateSize)
ABSENT(SerializeFMUState)
ABSENT(DeserializeFMUState)
ABSENT(GetDirectionalDerivative)
ABSENT(GetAdjointDerivative)
ABSENT(EnterConfigurationMode)
ABSENT(ExitConfigurationMode)
ABSENT(GetIntervalDecimal)
ABSENT(GetIntervalFraction)
ABSENT(GetShiftDecimal)
ABSENT(GetShiftFraction)
ABSENT(SetIntervalDecimal)
ABSENT(SetIntervalFraction)
ABSENT(SetShiftDecimal)
ABSENT(SetShiftFraction)
ABSENT(EvaluateDiscreteStates)
ABSENT(UpdateDiscreteStates)
ABSENT(EnterContinuousTimeMode)
ABSENT(CompletedIntegratorStep)
ABSENT(SetTime)
ABSENT(SetContinuousStates)
ABSENT(GetContinuousStateDerivatives)
ABSENT(GetEventIndicators)
ABSENT(GetContinuousStates)
ABSENT(GetNominalsOfContinuousStates)
ABSENT(GetNumberOfEventIndicators)
ABSENT(GetNumberOfContinuousStates)
ABSENT(GetOutputDerivatives)
ABSENT(ActivateModelPartition)
