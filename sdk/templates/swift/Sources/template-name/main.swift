import PluginSDK
import TemplateNameTools

PluginMain.run(name: "template-name") { register(on: $0) }
