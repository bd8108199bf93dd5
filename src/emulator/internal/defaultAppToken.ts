/** The app token of an emulator that was given none; on its own, so that the command line need not load the emulator. */
export const defaultAppToken = "emulator-app-token"
