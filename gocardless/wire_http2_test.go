package gocardless

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// HTTP/2, as far as it is needed to break it.
const (
	h2Headers, h2Reset, h2Settings, h2GoAway = 1, 3, 4, 7

	h2NoError, h2ProtocolError, h2InternalError, h2RefusedStream, h2EnhanceYourCalm = 0, 1, 2, 7, 11
)

func h2Frame(kind byte, stream uint32, payload ...byte) []byte {
	frame := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, 0}
	return append(binary.BigEndian.AppendUint32(frame, stream), payload...)
}

func h2ResetStream(code uint32) func(uint32, []byte) []byte {
	return func(stream uint32, _ []byte) []byte {
		return h2Frame(h2Reset, stream, binary.BigEndian.AppendUint32(nil, code)...)
	}
}

// h2Goodbye reports that streams up to the one given by its distance from this one were seen.
func h2Goodbye(distance int32, code uint32) func(uint32, []byte) []byte {
	return func(stream uint32, _ []byte) []byte {
		last := binary.BigEndian.AppendUint32(nil, uint32(int32(stream)+distance))
		return h2Frame(h2GoAway, 0, binary.BigEndian.AppendUint32(last, code)...)
	}
}

// h2EarlyHints is an informational reply with a Link header of 1,000 bytes.
func h2EarlyHints(stream uint32) []byte {
	fields := append([]byte("\x08\x03103\x00\x04link\x7f\xe9\x06"), bytes.Repeat([]byte("x"), 1_000)...) // :status and link, without indexing
	frame := h2Frame(h2Headers, stream, fields...)
	frame[4] = 4 // all of the headers
	return frame
}

// serveHTTP2 hands frames to the API and back.
func (s *wireServer) serveHTTP2(client wireConn) {
	server, err := s.backend.dial(context.Background())
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	c := &wireFrames{wireServer: s, client: client, server: server}
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(c.replies)
	defer func() { _ = server.Close() }()
	preface := make([]byte, 24)
	if _, err := io.ReadFull(client, preface); err != nil {
		return
	}
	if _, err := server.Write(preface); err != nil {
		return
	}
	c.requests()
}

// wireFrames is an HTTP/2 connection with a fault.
type wireFrames struct {
	*wireServer
	client  wireConn
	server  net.Conn
	writing sync.Mutex // to the client
}

// requests hands frames to the API. A request that it must not see breaks off here.
func (c *wireFrames) requests() {
	dropped := map[uint32]bool{}
	for {
		frame, kind, stream, err := readFrame(c.client)
		if err != nil {
			return
		}
		if kind == h2Headers && c.fault.unseen && c.trigger() {
			dropped[stream] = true
			if c.breakOff(stream, nil) {
				return
			}
		}
		if dropped[stream] {
			continue
		}
		if _, err := c.server.Write(frame); err != nil {
			return
		}
	}
}

// replies hands frames back to the client, and breaks off replies.
func (c *wireFrames) replies() {
	defer func() { _ = c.client.NetConn().Close() }()
	dropped := map[uint32]bool{}
	for {
		frame, kind, stream, err := readFrame(c.server)
		if err != nil {
			return
		}
		switch {
		case kind == h2Headers && !c.fault.unseen && c.trigger():
			if c.breakOff(stream, frame) {
				return
			}
			dropped[stream] = c.fault.name != "goodbye and the reply" // whose rest follows
		case dropped[stream]:
		default:
			if c.write(frame) != nil {
				return
			}
		}
	}
}

// breakOff sends the frames of the fault, and reports whether the connection is over.
func (c *wireFrames) breakOff(stream uint32, reply []byte) (over bool) {
	_ = c.write(c.fault.frames(stream, reply))
	if c.fault.close == wireResets {
		_ = c.client.NetConn().(*net.TCPConn).SetLinger(0)
	}
	over = c.down || c.fault.close != wireStays
	if over {
		_ = c.client.NetConn().Close()
	}
	return over
}

func (c *wireFrames) write(frames []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.client.Write(frames)
	return err
}

func readFrame(r io.Reader) (frame []byte, kind byte, stream uint32, err error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, 0, 0, err
	}
	frame = append(head, make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))...)
	_, err = io.ReadFull(r, frame[9:])
	return frame, head[3], binary.BigEndian.Uint32(head[5:]) &^ (1 << 31), err
}
