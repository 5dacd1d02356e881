//! What users hold in their hands: the contract and the flags. A change of either is a change of a snapshot, seen in review
//! (`cargo insta review` accepts one).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

use crate::support::PROGRAM;

fn message(out: &mut String, message: &DescriptorProto) {
    writeln!(out, "message {} {{", message.name()).unwrap();
    let mut fields = message.field.clone();
    fields.sort_by_key(prost_types::FieldDescriptorProto::number);
    for field in fields {
        let entry = message
            .nested_type
            .iter()
            .find(|nested| field.type_name().ends_with(&format!(".{}", nested.name())));
        let kind = match field.r#type() {
            Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
            kind => kind
                .as_str_name()
                .trim_start_matches("TYPE_")
                .to_lowercase(),
        };
        let presence = match (field.label(), field.proto3_optional()) {
            (Label::Repeated, _) => "repeated ",
            (_, true) => "optional ",
            _ => "",
        };
        writeln!(
            out,
            "  {} = {presence}{kind} {}",
            field.number(),
            field.name()
        )
        .unwrap();
        if let Some(entry) = entry {
            let kinds: Vec<String> = entry
                .field
                .iter()
                .map(|field| field.r#type().as_str_name().to_lowercase())
                .collect();
            writeln!(out, "      map of {}", kinds.join(" to ")).unwrap();
        }
    }
    for range in &message.reserved_range {
        writeln!(out, "  reserved {} to {}", range.start(), range.end() - 1).unwrap();
    }
    writeln!(out, "}}\n").unwrap();
}

fn enumeration(out: &mut String, enumeration: &EnumDescriptorProto) {
    writeln!(out, "enum {} {{", enumeration.name()).unwrap();
    for value in &enumeration.value {
        writeln!(out, "  {} = {}", value.number(), value.name()).unwrap();
    }
    writeln!(out, "}}\n").unwrap();
}

#[test]
fn the_contract_is_as_it_was() {
    let files = FileDescriptorSet::decode(coding_env::proto::DESCRIPTORS).unwrap();
    let ours = files
        .file
        .iter()
        .find(|file| file.package() == "coding_env.v1")
        .unwrap();
    let mut out = String::new();
    let options = ours.options.as_ref().unwrap();
    writeln!(out, "package {}", ours.package()).unwrap();
    writeln!(
        out,
        "go_package {}\njava_package {}\njava_multiple_files {}\n",
        options.go_package(),
        options.java_package(),
        options.java_multiple_files()
    )
    .unwrap();
    for service in &ours.service {
        writeln!(out, "service {} {{", service.name()).unwrap();
        for method in &service.method {
            let stream = |streams| if streams { "stream " } else { "" };
            writeln!(
                out,
                "  {}({}{}) -> {}{}",
                method.name(),
                stream(method.client_streaming()),
                method.input_type(),
                stream(method.server_streaming()),
                method.output_type()
            )
            .unwrap();
        }
        writeln!(out, "}}\n").unwrap();
    }
    for each in &ours.message_type {
        message(&mut out, each);
    }
    for each in &ours.enum_type {
        enumeration(&mut out, each);
    }
    insta::assert_snapshot!("contract", out);
}

#[test]
fn the_flags_are_as_they_were() {
    let output = Command::new(PROGRAM)
        .args(["serve", "--help"])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success());
    insta::assert_snapshot!("serve_help", String::from_utf8(output.stdout).unwrap());
}

/// Words in capitals, as reasons are.
fn reasons(text: &str) -> BTreeSet<String> {
    text.split(|char: char| !char.is_ascii_uppercase() && char != '_')
        .filter(|word| word.len() > 4 && !word.starts_with('_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_contract_names_the_reasons_that_the_server_gives_and_no_others() {
    let root = env!("CARGO_MANIFEST_DIR");
    let contract =
        fs::read_to_string(format!("{root}/proto/coding_env/v1/coding_env.proto")).unwrap();
    // "//   CODE   REASON, REASON (words)"; lines that go on an entry are indented further.
    let table: String = contract
        .lines()
        .take_while(|line| !line.starts_with("syntax"))
        .filter_map(|line| line.strip_prefix("//   "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_once(' '))
        .map(|(_, reasons)| reasons.split('(').next().unwrap().to_owned() + "\n")
        .collect();
    let source = fs::read_to_string(format!("{root}/src/status.rs")).unwrap();
    let given: String = source
        .split("#[cfg(test)]")
        .next()
        .unwrap()
        .lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|text| {
            text.chars()
                .all(|char| char.is_ascii_uppercase() || char == '_')
        })
        .map(|text| text.to_owned() + "\n")
        .collect();
    let (told, given) = (reasons(&table), reasons(&given));
    assert!(told.len() > 12, "{told:?}");
    assert_eq!(told, given);
}
