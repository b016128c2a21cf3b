// A plugin's author writes one import. JSON values, secrets and error codes belong to the ABI: both modules come along.
@_exported public import JSONBytes
@_exported public import PluginABI
