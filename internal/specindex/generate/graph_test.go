package main

import (
	"strings"
	"testing"
)

func TestGraphTypes(t *testing.T) {
	const source = `<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="importance"><Member Name="low" Value="0"/><Member Name="high" Value="2"/></EnumType>
<EntityType Name="entity" Abstract="true"><Property Name="id" Type="Edm.String"/></EntityType>
<EntityType Name="message" BaseType="graph.entity" OpenType="true">
<Property Name="importance" Type="graph.importance"/><Property Name="size" Type="Edm.Int32"/>
<NavigationProperty Name="parts" Type="Collection(graph.unwanted)"/></EntityType>
<EntityType Name="unwanted" BaseType="graph.entity"/>
<Action Name="reply" IsBound="true"><Parameter Name="b" Type="graph.message"/><Parameter Name="Comment" Type="Edm.String"/></Action>
<Function Name="delta" IsBound="true"><Parameter Name="b" Type="Collection(graph.message)"/></Function>
<EntityContainer Name="S"><EntitySet Name="messages" EntityType="microsoft.graph.message"/><Singleton Name="first" Type="microsoft.graph.message"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>`
	const want = `root messages message*
root first message

entity entity -
. id string

enum importance low high

entity message entity open
. importance importance
. size int
> parts unwanted*
! reply Comment:string
?* delta
`
	got, err := graphTypes(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := strings.Cut(string(got), "\n"); rest != want {
		t.Errorf("got\n%s", rest)
	}
}

func TestGraphPermissions(t *testing.T) {
	const source = `{"permissions": {
"Mail.Read": {"pathSets": [{"schemeKeys": ["DelegatedWork", "DelegatedPersonal", "Application"], "methods": ["GET"],
  "paths": {"/me/Messages": "least=DelegatedWork", "/drives/{id}": "", "/me/drive": ""}}]},
"Mail.ReadWrite": {"pathSets": [{"schemeKeys": ["DelegatedWork"], "methods": ["GET", "POST"], "paths": {"/me/messages": ""}}]}}}`
	const want = "/me/messages\nGET\tMail.Read!,Mail.ReadWrite\tMail.Read\nPOST\tMail.ReadWrite\t\n"
	got, err := graphPermissions(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := strings.Cut(string(got), "\n"); rest != want {
		t.Errorf("got\n%s", rest)
	}
}
