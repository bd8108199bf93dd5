/**
 * A OneEntry backend in the process or on a port: `effect-oneentry/emulator`.
 *
 * @since 0.1.0
 */

export * as Control from "./Control.ts"

export * as ControlApi from "./ControlApi.ts"

export * as Emulator from "./Emulator.ts"

export * as Fault from "./Fault.ts"

export * as Messages from "./Messages.ts"

export * as Persistence from "./Persistence.ts"

export * as Project from "./Project.ts"

export * as RequestLog from "./RequestLog.ts"

export * as Snapshot from "./Snapshot.ts"
