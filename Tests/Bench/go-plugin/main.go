// The peer of `make bench`: HashiCorp's go-plugin with gRPC, host and plugin in one program. It is our own code on
// Debian's packages. The messages are protobuf's own BytesValue, so that nothing has to be generated.
//
//	go-plugin ROUNDS CALLS CPU-PLUGIN
//
// prints samples in nanoseconds: "call" (256 bytes there and back), "megabyte" (256 bytes there, 1 MiB back), and
// "throughput", how long 16 callers took for CALLS calls in all.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/golang/protobuf/ptypes/wrappers"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

const callers = 16

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "NEXUS_BENCH", MagicCookieValue: "echo"}

var megabyte = make([]byte, 1<<20)

type handler func(context.Context, *wrappers.BytesValue) (*wrappers.BytesValue, error)

// A method of the service, as generated code would describe it.
func method(name string, serve handler) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(
		_ interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor,
	) (interface{}, error) {
		request := new(wrappers.BytesValue)
		if err := decode(request); err != nil {
			return nil, err
		}
		return serve(ctx, request)
	}}
}

var service = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*interface{})(nil),
	Methods: []grpc.MethodDesc{
		method("Echo", func(_ context.Context, in *wrappers.BytesValue) (*wrappers.BytesValue, error) { return in, nil }),
		method("Megabyte", func(context.Context, *wrappers.BytesValue) (*wrappers.BytesValue, error) {
			return &wrappers.BytesValue{Value: megabyte}, nil
		}),
	},
}

type echo struct{ plugin.NetRPCUnsupportedPlugin }

func (echo) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	server.RegisterService(&service, nil)
	return nil
}

func (echo) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (interface{}, error) {
	return connection, nil
}

func call(connection *grpc.ClientConn, name string, value []byte, want int) {
	answer := new(wrappers.BytesValue)
	err := connection.Invoke(context.Background(), "/bench.Echo/"+name, &wrappers.BytesValue{Value: value}, answer)
	if err != nil || len(answer.Value) != want {
		fail(fmt.Errorf("%s: %d bytes, %v", name, len(answer.Value), err))
	}
}

func sequential(connection *grpc.ClientConn, name string, rounds, want int) []int64 {
	value := make([]byte, 256)
	samples := make([]int64, 0, rounds)
	for round := -rounds / 10; round < rounds; round++ {
		start := time.Now()
		call(connection, name, value, want)
		if round >= 0 {
			samples = append(samples, time.Since(start).Nanoseconds())
		}
	}
	return samples
}

func together(connection *grpc.ClientConn, calls int) int64 {
	start := time.Now()
	var group sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		group.Add(1)
		go func() {
			defer group.Done()
			value := make([]byte, 256)
			for round := 0; round < calls/callers; round++ {
				call(connection, "Echo", value, 256)
			}
		}()
	}
	group.Wait()
	return time.Since(start).Nanoseconds()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go-plugin:", err)
	os.Exit(1)
}

func main() {
	plugins := plugin.PluginSet{"echo": echo{}}
	if os.Getenv(handshake.MagicCookieKey) != "" {
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig: handshake, Plugins: plugins, GRPCServer: plugin.DefaultGRPCServer, Logger: hclog.NewNullLogger(),
		})
		return
	}
	numbers := make([]int, 2)
	for index := range numbers {
		number, err := strconv.Atoi(os.Args[index+1])
		if err != nil {
			fail(err)
		}
		numbers[index] = number
	}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake, Plugins: plugins, AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd: exec.Command("taskset", "-c", os.Args[3], os.Args[0]), Logger: hclog.NewNullLogger(),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		fail(err)
	}
	raw, err := protocol.Dispense("echo")
	if err != nil {
		fail(err)
	}
	connection := raw.(*grpc.ClientConn)
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"call":       sequential(connection, "Echo", numbers[0], 256),
		"megabyte":   sequential(connection, "Megabyte", numbers[0]/10, len(megabyte)),
		"throughput": []int64{together(connection, numbers[1])},
		"calls":      numbers[1] / callers * callers,
	})
}
