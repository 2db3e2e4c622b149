// The documentation of the settings comes from the server, in English.
export default {};
